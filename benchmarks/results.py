"""The results that the seed paper never had: its own design and ours side by side, as docs/results.md with pictures.

    python benchmarks/results.py [--data DIR] [--model MODEL] [--minutes N] [--baseline MODEL.ts]      (make results)

Trains the baseline (`noizestream train --arch raw`) on the data; evaluates it at temperature 0 (the paper's design as it is) and
at 1, and MODEL; and draws the paper's three pictures of the real music, the baseline and MODEL. What is made on the way is kept in
`runs/results` and used again, so that a run that was cut off goes on; empty that folder to train the baseline anew.
"""

import io
import json
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import numpy as np
from results_page import page

from noizestream.errors import NoizestreamError
from noizestream.modelfile.archive import default_model, find_model, read_metadata
from noizestream.modelfile.genres import file_names

ROOT = Path(__file__).resolve().parent.parent
PICTURE_S = 8.0
PICTURE_BYTES = 60_000
SCALES = {"samples": "linear", "envelope": "log", "spectrogram": "log"}
PANEL_INCHES = (4.6, 2.3)

Sounds = dict[str, tuple[np.ndarray, int]]
"""Title -> mono audio [n] and its rate."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--data", help="Library to learn from and to compare with (default: a freshly written studio corpus).")
@click.option("--model", help="Model to set beside the baseline: a file or a bundled model's name (default: the bundled default).")
@click.option("--baseline", help="A baseline that is trained already (default: one is trained on the data).")
@click.option("--minutes", default=10.0, show_default=True, help="Training time of the baseline.")
@click.option("--seeds", default=12, show_default=True, help="Renderings per genre.")
@click.option("--work", default="runs/results", show_default=True, type=click.Path(path_type=Path), help="Folder for what is made.")
@click.option("--docs", default=ROOT / "docs", show_default=True, type=click.Path(path_type=Path), help="Folder for results.md.")
def main(data, model, baseline, minutes, seeds, work, docs) -> None:
    """Write docs/results.md and docs/results/*.png."""
    began = time.monotonic()
    run = Steps(work)
    ours = model or default_model().stem
    if data is None:
        data = work / "corpus"
        run(data / "corpus.csv", (), "studio", data, "--minutes", 18, "--seed", 1)
    if baseline is None:
        baseline = work / "baseline.ts"
        run(baseline, (), "train", data, "-o", baseline, "--arch", "raw", "--minutes", f"{minutes:g}")
    figures = {}
    for name, played, temperature in (("still", baseline, 0), ("baseline", baseline, 1), ("ours", ours, 1)):
        file = work / f"{name}.json"
        run(file, [find_model(played)], "evaluate", played, data, "-t", temperature, "--seeds", seeds, "--json", file)
        figures[name] = json.loads(file.read_text())
    pictures = docs / "results"
    pictures.mkdir(parents=True, exist_ok=True)
    names = file_names(figures["ours"]["genres"])
    for genre, sounds in excerpts(data, list(names), find_model(baseline), find_model(ours)):
        for kind in SCALES:
            (pictures / f"{names[genre]}-{kind}.png").write_bytes(picture(sounds, genre, kind))
    text = page(figures, trained(find_model(baseline)), find_model(ours).stem, run.commands)
    (docs / "results.md").write_text(text)
    print(f"{docs / 'results.md'}: written after {(time.monotonic() - began) / 60:.0f} min")


class Steps:
    """`noizestream` commands that make a file each: run where it is not there, was made by another, or is older than its inputs."""

    def __init__(self, work: Path):
        work.mkdir(parents=True, exist_ok=True)
        self.commands: list[str] = []
        self._record = work / "commands.json"
        self._made: dict[str, str] = json.loads(self._record.read_text()) if self._record.exists() else {}

    def __call__(self, made: Path, inputs: Sequence[Path], *arguments: object) -> None:
        line = [str(argument) for argument in arguments]
        command = f"noizestream {shlex.join(line)}"
        self.commands.append(command)
        stamp = made.stat().st_mtime if made.exists() else 0.0
        if self._made.get(str(made)) == command and all(file.stat().st_mtime < stamp for file in inputs):
            return
        print(f"$ {command}", flush=True)
        if subprocess.run([sys.executable, "-m", "noizestream.cli", *line]).returncode:
            raise NoizestreamError(f"{command}: failed (see above)")
        self._made[str(made)] = command
        self._record.write_text(json.dumps(self._made, indent=1))


def trained(path: Path) -> dict:
    """What a model file says of its training."""
    metadata = read_metadata(path)
    extra = {name: metadata.extra.get(name, {}) for name in ("training", "config")}
    return extra | {"block_frames": metadata.block_frames, "bytes": path.stat().st_size}


def excerpts(data: str | Path, genres: list[str], baseline: Path, model: Path) -> Iterator[tuple[str, Sounds]]:
    """Every genre with its real music, the baseline's and the model's, `PICTURE_S` seconds each."""
    import noizestream
    from noizestream.music.decode import RATE, decode
    from noizestream.music.library import read_library

    tracks = {track.genre: track.path for track in reversed(read_library(data).tracks)}
    makers = {"baseline": noizestream.load(baseline), model.stem: noizestream.load(model)}
    for genre in genres:
        sounds = {"real": (decode(tracks[genre], RATE, 0.0, PICTURE_S).mean(axis=0), RATE)}
        for title, maker in makers.items():
            rate = maker.metadata.sample_rate
            maker.reset(1)
            maker.set_genre(genre)
            sounds[title] = (maker.pull(round(PICTURE_S * rate)).mean(axis=0), rate)
        yield genre, sounds


def picture(sounds: Sounds, genre: str, kind: str) -> bytes:
    """The view `kind` of every sound side by side: a PNG of few colours, at most `PICTURE_BYTES` long."""
    from PIL import Image

    from noizestream.analysis.views import view

    panels = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "panel.png"
        for title, (audio, rate) in sounds.items():
            view(audio, rate, file, kind, SCALES[kind], f"{genre}, {title}", size=PANEL_INCHES)
            panels.append(Image.open(file).convert("RGB"))
    whole = Image.new("RGB", (sum(panel.width for panel in panels), panels[0].height), "white")
    for number, panel in enumerate(panels):
        whole.paste(panel, (sum(before.width for before in panels[:number]), 0))
    for colours in (64, 32, 24, 16, 12, 8):  # noise does not compress: fewer colours do
        buffer = io.BytesIO()
        whole.quantize(colours, dither=Image.Dither.NONE).save(buffer, "png", optimize=True)
        if buffer.tell() <= PICTURE_BYTES:
            break
    return buffer.getvalue()


if __name__ == "__main__":
    try:
        main(standalone_mode=False)
    except (NoizestreamError, click.ClickException) as error:
        raise SystemExit(f"results: {error.format_message() if isinstance(error, click.ClickException) else error}") from None
