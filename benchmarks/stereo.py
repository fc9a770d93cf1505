"""The stereo image of music beside what the synthesis makes of it, per genre: from true frames, and through a model's codec.

    python benchmarks/stereo.py                       # 20 s of every studio genre
    python benchmarks/stereo.py ~/music --model mine.ts

Width is sqrt(side power / middle power); pan and motion as in noizestream/analysis/image.py, means of their size over the bands
from 150 Hz. `true frames` go into the synthesis as they were measured, `codec` is what the model's `reconstruct` returns.
"""

from pathlib import Path

import click
import numpy as np
import torch

from noizestream import artifact
from noizestream.analysis.image import correlation, image, width
from noizestream.music.decode import RATE, decode
from noizestream.music.library import read_library
from noizestream.music.studio import GENRES, compose
from noizestream.nn.phases import PhaseSynthesis
from noizestream.nn.spectral import SpectralFront


def from_true_frames(audio: np.ndarray) -> np.ndarray:
    """Audio [2, n] analysed and synthesised: [2, m], m the whole frames of it."""
    front = SpectralFront(RATE, channels=2)
    with torch.inference_mode():
        bands = front.analyse(torch.from_numpy(audio))
        noise = torch.rand(len(bands), front.block, generator=torch.Generator().manual_seed(0))
        return PhaseSynthesis(front).stream(bands, noise).numpy()


def line(genre: str, which: str, audio: np.ndarray) -> str:
    found = image(audio, RATE)
    bands = " ".join(f"{value:5.2f}" for value in found.width)
    pan, motion = np.abs(found.pan[1:]).mean(), found.motion[1:].mean()
    return f"{genre:12} {which:12} {correlation(audio):6.3f} {width(audio):6.3f}   {bands}   {pan:5.2f} {motion:6.2f}"


def excerpts(data: str | None, seconds: float) -> dict[str, np.ndarray]:
    """Genre -> [2, n]: the middle of its first stereo track, or a fresh piece of the studio's."""
    if data is None:
        return {row.name: compose(row.name, [0, 1], seconds) for row in GENRES}
    found: dict[str, np.ndarray] = {}
    for track in read_library(data).tracks:
        if track.genre not in found:
            audio = decode(track.path, RATE, seconds=2 * seconds)[:, -round(seconds * RATE) :]
            if len(audio) == 2 and width(audio) > 0:
                found[track.genre] = audio
    return found


@click.command(help=__doc__.split("\n")[0])
@click.argument("data", required=False, type=click.Path(exists=True))
@click.option("--model", type=click.Path(exists=True, path_type=Path), help="A stereo model: its codec is measured too.")
@click.option("--seconds", default=20.0, show_default=True, help="How much of each genre.")
def main(data: str | None, model: Path | None, seconds: float) -> None:
    torch.set_num_threads(1)
    module = artifact.load(model)[0] if model else None
    print(f"{'genre':12} {'':12} {'corr':>6} {'width':>6}   {'width from 0, 150, 600, 2500, 8k Hz':29}  {'|pan|':>5} {'motion':>6}")
    for genre, audio in excerpts(data, seconds).items():
        print(line(genre, "real", audio))
        print(line(genre, "true frames", from_true_frames(audio)))
        if module is not None:
            with torch.inference_mode():
                print(line(genre, "codec", module.reconstruct(torch.from_numpy(audio)).numpy()), flush=True)


if __name__ == "__main__":
    main()
