"""The stereo image of music beside what the memory's codec keeps of it, per genre, and beside what a model reconstructs.

    python benchmarks/stereo.py                       # 20 s of every studio genre
    python benchmarks/stereo.py ~/music --model mine.ts

Width is sqrt(side power / middle power); pan and motion as in noizestream/analysis/image.py, means of their size over the bands
from 150 Hz. `codec` is the codec of the memory (noizestream/nn/codec.py), `model` what the model's `reconstruct` returns.
"""

from pathlib import Path

import click
import numpy as np
import torch

from noizestream.analysis.image import correlation, image, width
from noizestream.modelfile import archive
from noizestream.music.decode import RATE, decode
from noizestream.music.library import read_library
from noizestream.music.studio import GENRES, compose
from noizestream.nn.codec import Codec


def through_the_codec(audio: np.ndarray) -> np.ndarray:
    """Audio [2, n] there and back: [2, m], m the whole blocks of it."""
    codec = Codec(RATE)
    with torch.inference_mode():
        rows = codec.encode(torch.from_numpy(audio), torch.zeros(audio.shape[1] // codec.block - 1, codec.bands))
        return codec.stream(rows).numpy()


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
@click.option("--model", type=click.Path(exists=True, path_type=Path), help="A stereo model: what it reconstructs is measured too.")
@click.option("--seconds", default=20.0, show_default=True, help="How much of each genre.")
def main(data: str | None, model: Path | None, seconds: float) -> None:
    torch.set_num_threads(1)
    module = archive.load(model)[0] if model else None
    print(f"{'genre':12} {'':12} {'corr':>6} {'width':>6}   {'width from 0, 150, 600, 2500, 8k Hz':29}  {'|pan|':>5} {'motion':>6}")
    for genre, audio in excerpts(data, seconds).items():
        print(line(genre, "real", audio))
        print(line(genre, "codec", through_the_codec(audio)))
        if module is not None:
            with torch.inference_mode():
                print(line(genre, "model", module.reconstruct(torch.from_numpy(audio)).numpy()), flush=True)


if __name__ == "__main__":
    main()
