"""The text of docs/results.md: what `noizestream evaluate` measured of the baseline and of a model, side by side."""

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from noizestream.modelfile.genres import file_names

COLUMNS = {"still": "baseline, T 0", "baseline": "baseline, T 1"}
LIVELY = {"peakiness": "Peakiness", "flux": "Flux", "pulse": "Pulse clarity"}
VIEWS = ("samples", "envelope", "spectrogram")

INTRODUCTION = """\
# Results: the seed paper's design and ours

Made by `make results` (`benchmarks/results.py`), not edited by hand. The paper proposes an LSTM over blocks of raw samples
and has no results: here they are, beside those of `{model}`. [paper.md](paper.md) says where each part of the paper is.

Machine: {machine}. Commands:

```
{commands}
```

The **baseline** (`--arch raw`) reads the last {block} samples and the genre and writes the next {block}: {layers} x {hidden}
cells, {loss} by {optimiser}, {steps} steps in {minutes:.0f} minutes, {megabytes:.1f} MB. At temperature 0 it is the paper's
design as it is: its prediction, fed back. At temperature 1 Gaussian noise is added, of the deviation that the prediction
leaves on held-out music. It learned from this very data. [evaluation.md](evaluation.md) explains the measures.
"""

RECOGNISED = """\
## Recognised

Share of 2-second windows that a classifier takes for the genre asked for, beside held-out real music and the control (real
frames shuffled in time with random phases). It speaks of timbre only.
"""

DISTANCE = """\
## Distance to real music

Fréchet distance to the genre itself / to the nearest other genre; **!** where another genre is nearer. Beside them the floor
(real against real) and the control.
"""

ALIVE = """\
## Alive

Ratios to the real genre's own value: 1 is as in real music.
"""

PREDICTION = """\
## Prediction

The paper's errors of the baseline's next block, on held-out music, in units of the music's RMS; and the loss ({loss}) of two
guesses that need no learning. MBE is prediction minus truth.
"""

OURS = """\
`{model}` names codes of real music, so its figures are in another space: nats per block of those codes, and the errors of the
one-step prediction in log-band magnitudes beside those of holding the last frame.
"""


def page(figures: Mapping[str, Any], baseline: Mapping[str, Any], model: str, commands: Sequence[str]) -> str:
    """docs/results.md as Markdown.

    `figures` are what `noizestream evaluate --json` wrote of `still` (the baseline at temperature 0), `baseline` and `ours`;
    `baseline` is what its file says of its training; `model` is the name of ours.
    """
    config, training = baseline["config"], baseline["training"]
    loss = config["loss"].upper()
    introduction = INTRODUCTION.format(
        model=model,
        machine=machine(),
        commands="\n".join(commands),
        block=baseline["block_frames"],
        layers=config["layers"],
        hidden=config["hidden"],
        loss=loss,
        optimiser=config["optimiser"],
        steps=training["sequence_steps"],
        minutes=training["wall_s"] / 60,
        megabytes=baseline["bytes"] / 1e6,
    )
    names = COLUMNS | {"ours": model}
    parts = [introduction, *_measured({name: figures[name]["genres"] for name in names}, names)]
    parts += [PREDICTION.format(loss=loss), _errors(training["errors"], loss), *_prediction(figures["ours"]["all"], model)]
    return "\n".join([*parts, *(_gallery(genre, name, model) for genre, name in file_names(figures["ours"]["genres"]).items())])


def _measured(of: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    """The tables that have a row per genre: `of[column][genre]` are figures."""
    ours = of["ours"]

    def table_of(heads: Sequence[str], cells: Callable[[str], list[str]]) -> str:
        return table(["genre", *names.values(), *heads], [[genre, *cells(genre)] for genre in ours])

    def recognised(genre: str) -> list[str]:
        sides = [of[name][genre]["recognised"] or {} for name in names]
        return [percent(side.get("made")) for side in sides] + [percent(sides[-1].get(name)) for name in ("held_out", "control")]

    def distance(genre: str) -> list[str]:
        sides = [of[name][genre]["frechet"] for name in names]
        cells = [f"{number(s['own'])} / {number(s['nearest_other'])}{'' if s['own_nearest'] else ' **!**'}" for s in sides]
        return [*cells, number(sides[-1]["floor"]), number(sides[-1]["control"])]

    def lively(measure: str, section: str = "liveliness") -> Callable[[str], list[str]]:
        def cells(genre: str) -> list[str]:
            found = [of[name][genre][section]["ratio"][measure] for name in names]
            return [
                *("-" if ratio is None else f"{ratio:.2f}" for ratio in found),
                number(ours[genre][section]["real"][measure]),
            ]

        return cells

    def stuck(genre: str) -> list[str]:
        sides = [of[name][genre]["liveliness"]["made"] for name in names] + [ours[genre]["liveliness"]["real"]]
        return [f"{percent(side['silence'])}, {percent(side['repeats'])}" for side in sides]

    parts = [RECOGNISED, table_of(("real", "control"), recognised), DISTANCE, table_of(("floor", "control"), distance), ALIVE]
    for measure, title in LIVELY.items():
        parts += [f"{title}:\n", table_of(("real value",), lively(measure))]
    parts += ["Chord changes:\n", table_of(("real value",), lively("chords", "notes"))]
    return [*parts, "Silence and repeats, shares of half seconds:\n", table_of(("real",), stuck)]


def _errors(errors: Mapping[str, float], loss: str) -> str:
    heads = ["MSE", "MAE", "MBE", f"{loss} of silence", f"{loss} of the block before"]
    return table(heads, [[f"{errors[name]:.4f}" for name in ("mse", "mae", "mbe", "silence", "previous")]])


def _prediction(overall: Mapping[str, Any], model: str) -> list[str]:
    """The model's own prediction, if its file offers it."""
    found = overall.get("prediction")
    if not found:
        return []
    cells = {
        "nats per block": number(found.get("nats")),
    }
    for error in ("mse", "mae", "mbe") if "model" in found else ():
        cells[f"{error.upper()} / last frame held"] = f"{number(found['model'][error])} / {number(found['last_frame'][error])}"
    return [OURS.format(model=model), table(list(cells), [list(cells.values())])]


def _gallery(genre: str, name: str, model: str) -> str:
    pictures = [f"![{genre}, {kind}: real, baseline, {model}](results/{name}-{kind}.png)" for kind in VIEWS]
    return f"## Pictures: {genre}\n\n" + "\n\n".join(pictures) + "\n"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (heads, ["---"] * len(heads), *rows))


def percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def machine() -> str:
    """Processor, cores this process may use, torch."""
    import torch

    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    except OSError:
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} core{'s' * (cores != 1)} used, torch {torch.__version__}"
