"""Real music: train on four genres of it, and set what is made beside the music learned from and beside tracks never heard.

    python benchmarks/real.py [--library DIR] [--packages DIR] [--minutes 30 | --model MODEL] [--json FILE]
    python benchmarks/real.py --show FILE               # the table and the bars again, from what --json wrote

The library is that of benchmarks/real_library.py, fetched on the first run (360 MB). `noizestream train LIB/learn` makes the model.
What it plays is then compared as `noizestream evaluate MODEL LIB/learn` and `noizestream evaluate MODEL LIB/held_out` do, of the
same renderings, and the music learned from as `noizestream evaluate --audio LIB/learn LIB/held_out` does, of descriptions that are
there already: the figures are theirs. As much is rendered of every genre as is held out of it, for Fréchet distances depend on the
length.

The last column group is all that can be hoped for of a model that has heard nothing else, in the second. There the shuffled control
is made of the held-out frames themselves: music of their very timbre, and no floor for anything that has not heard them.

On two cores: a minute to fetch the packages and 8 minutes to analyse the music, both once; the training; and 10 minutes to render
and compare (4 with `--seeds 3`, for a first look: its Fréchet distances are larger, being of two minutes).
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")

import numpy as np  # noqa: E402

from benchmarks import real_library  # noqa: E402
from benchmarks.program import run  # noqa: E402
from benchmarks.real_table import GROUPS, table, verdicts  # noqa: E402
from noizestream.analysis import copying  # noqa: E402
from noizestream.analysis.compare import compare  # noqa: E402
from noizestream.analysis.corpus import Real, describe  # noqa: E402
from noizestream.analysis.generated import Settings, render_and_probe  # noqa: E402
from noizestream.control.parameters import TEMPERATURE  # noqa: E402
from noizestream.errors import NoizestreamError, UsageError  # noqa: E402
from noizestream.modelfile import archive  # noqa: E402
from noizestream.modelfile.genres import key  # noqa: E402
from noizestream.music.library import read_library  # noqa: E402
from noizestream.music.skipped import Skipped, skipped_table  # noqa: E402
from noizestream.system.files import check_output  # noqa: E402
from noizestream.system.jsonfile import write_json  # noqa: E402
from noizestream.ui.progress import LateBar  # noqa: E402

WINDOW_S = 4
PARTS = ("library", "training", "analysis of the music", "rendering and comparing")
"""What the time goes to."""


def train(learn: Path, model: Path, minutes: float, options: str = "") -> None:
    """`noizestream train` in a process of its own. NoizestreamError when it fails; it has said why."""
    line = ["train", str(learn), "-o", str(model), "--minutes", f"{minutes:g}", *shlex.split(options)]
    print(f"$ noizestream {shlex.join(line)}", flush=True)
    if subprocess.run([sys.executable, "-m", "noizestream.cli", *line], env=os.environ | {"PYTHONPATH": str(ROOT)}).returncode:
        raise NoizestreamError("noizestream train failed (see above)")


def analyse(library: Path, workers: int | None = None) -> dict[str, dict[str, Real]]:
    """Side (`learn`, `held_out`) of the `library` -> genre -> its description, from the feature cache where it is there already."""
    sides, skipped = {}, list[Skipped]()
    for side in real_library.SIDES:
        with LateBar(f"analysing {side}") as bar:
            sides[side] = describe(read_library(library / side), skipped, workers, bar)
    skipped_table(skipped)
    return sides


def measure(sides: Mapping[str, Mapping[str, Real]], model: Path, settings: Settings, workers: int | None = None) -> dict[str, Any]:
    """The three comparisons: `made_learned`, `made_held_out` and `learned_held_out`, each as `noizestream evaluate --json` has it.

    `sides` are those of `analyse`. UsageError when one of their genres is not the model's.
    """
    learn, held_out = sides["learn"], sides["held_out"]
    metadata = archive.read_metadata(model)
    known = {key(name) for name in metadata.genres}
    if missing := [genre for genre in learn if key(genre) not in known]:
        raise UsageError(f"--model: {model.name} has no genre {', '.join(missing)}; give one that was trained on this library")
    with LateBar(f"rendering {metadata.name}") as bar:
        made, probed = render_and_probe(model, metadata, learn, settings, workers, False, bar)
    figures = compare(learn, made, probed)
    for genre, found in novelty(learn, held_out, made).items():
        figures["genres"][genre]["novelty"] = found
    learned = {genre: [piece.arrays for piece in entry.pieces] for genre, entry in learn.items()}
    return {
        "made_learned": figures,
        "made_held_out": compare(held_out, made, {}),
        "learned_held_out": compare(held_out, learned, {}),
    }


def novelty(
    learned: Mapping[str, Real], held_out: Mapping[str, Real], made: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, dict[str, float]]:
    """Genre -> `nearer`: share of windows (of `seconds`: 4) of `made` nearer to anything `learned` than 95 % of `held_out` are.

    `evaluate` asks this of the ends of the tracks that were learned from, which are more like them than another track is. `least`,
    `median` and `held_out_5` are the distances of copying.py: of what was made, and what 95 % of the held-out windows are beyond.
    """
    training = [copying.columns(piece.arrays["mels"]) for entry in learned.values() for piece in entry.pieces]
    result = {}
    for genre, pieces in made.items():
        mean = copying.mean_spectrum([copying.columns(piece.arrays["mels"]) for piece in learned[genre].pieces])
        distances = []
        for mels in ([piece["mels"] for piece in pieces], held_out[genre].mels()):
            windows, _ = copying.queries([copying.columns(each) for each in mels], WINDOW_S, mean)
            distances.append(copying.nearest(windows, training, WINDOW_S, mean).distance)
        ours, near = distances[0], float(np.percentile(distances[1], 5))
        result[genre] = {
            "nearer": float(np.mean(ours < near)),
            "seconds": WINDOW_S,
            "least": float(ours.min()),
            "median": float(np.median(ours)),
            "held_out_5": near,
        }
    return result


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--library", type=Path, default=real_library.default_folder(), metavar="DIR", help="where it is, or is put")
    parser.add_argument("--packages", type=Path, metavar="DIR", help=".deb files, or a folder per package, that are there already")
    parser.add_argument("--minutes", type=float, default=30.0, help="of training (default: 30)")
    parser.add_argument("--train", default="", metavar="OPTIONS", help="more options of noizestream train, as one argument")
    parser.add_argument("-o", "--output", type=Path, metavar="MODEL.ts", help="the model file to write (default: real.ts in DIR)")
    parser.add_argument("--model", help="a model of this library: nothing is trained")
    parser.add_argument("--seconds", type=float, default=40.0, help="of a rendering (default: 40)")
    parser.add_argument("--seeds", type=int, default=14, help="renderings a genre (default: 14, which are 9.3 minutes)")
    parser.add_argument("--seed", type=int, default=1, help="of the first rendering")
    parser.add_argument("-t", "--temperature", type=float, default=1.0)
    parser.add_argument("--workers", type=int, help="processes (default: one per core)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every figure")
    parser.add_argument("--show", type=Path, metavar="FILE", help="only show what --json wrote")
    asked = parser.parse_args(arguments)
    result = _read(asked.show) if asked.show else _run(asked)
    print(table(result))
    print()
    print("\n".join(verdicts(result)))
    if asked.json and not asked.show:
        write_json(asked.json, result, "--json")
    return result


def _run(asked: argparse.Namespace) -> dict[str, Any]:
    if asked.minutes <= 0 or asked.seeds < 1 or not 4 <= asked.seconds < float("inf"):
        raise UsageError("--minutes, --seeds, --seconds: give more than 0, at least 1, and at least 4")
    if asked.json:
        check_output(asked.json, "--json")
    TEMPERATURE.check(asked.temperature, "--temperature")
    model = archive.find_model(asked.model) if asked.model else asked.output or asked.library / "real.ts"
    times = [time.monotonic()]
    tracks = real_library.make(asked.library, asked.packages)
    times.append(time.monotonic())
    if not asked.model:
        train(asked.library / "learn", model, asked.minutes, asked.train)
    times.append(time.monotonic())
    sides = analyse(asked.library, asked.workers)
    times.append(time.monotonic())
    settings = Settings(asked.seconds, asked.seeds, asked.seed, asked.temperature)
    figures = measure(sides, model, settings, asked.workers)
    times.append(time.monotonic())
    taken = {part: last - first for part, (first, last) in zip(PARTS, pairwise(times), strict=True)}
    return {"model": model.name, "settings": vars(settings), "taken_s": taken, "tracks": tracks, **figures}


def _read(file: Path) -> dict[str, Any]:
    try:
        result = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise NoizestreamError(f"--show {file}: cannot be read ({error})") from None
    if not isinstance(result, dict) or not GROUPS.keys() <= result.keys():
        raise NoizestreamError(f"--show {file}: not a file that --json of this benchmark wrote")
    return result


if __name__ == "__main__":
    run(main)
