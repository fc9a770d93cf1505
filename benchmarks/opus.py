"""How good is what a model keeps of a sound? Opus, PCA and the model on the same held-out music, by `evaluate`'s distances.

    python benchmarks/opus.py DATA [MODEL] [--seconds 60] [--kbit 12,16,24] [--json FILE]

    Opus N      opusenc --bitrate N (its default variable rate) and back, mono; the rate beside it is the one it took
    model       `reconstruct` of the model file, where it has it
    PCA of D    as many numbers a block as the model's latents have, not rounded and not in layers: PCA of the weighted log
                band magnitudes (and, for a stereo model, of the image), fitted on the library's training part, through the same
                synthesis
    no latent   the bands themselves through the synthesis: what no latent can be better than

A stereo model, and what stands beside it, hears and makes two channels; Opus spends all its bits on the mono mix. Distances are of
the mono mix, means over the genres. Needs opus-tools (Debian: apt install opus-tools).
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")

import numpy as np  # noqa: E402
import soundfile  # noqa: E402
import torch  # noqa: E402

from noizestream import artifact  # noqa: E402
from noizestream.analysis.corpus import describe  # noqa: E402
from noizestream.analysis.excerpts import KNOWN, UNSEEN, Excerpt, excerpts  # noqa: E402
from noizestream.analysis.probing import Probe, codec, distances  # noqa: E402
from noizestream.engine.generator import prepare_torch  # noqa: E402
from noizestream.errors import NoizestreamError  # noqa: E402
from noizestream.jsonfile import write_json  # noqa: E402
from noizestream.music.decode import RATE  # noqa: E402
from noizestream.music.library import read_library  # noqa: E402
from noizestream.nn.phases import PhaseSynthesis  # noqa: E402
from noizestream.nn.spectral import SpectralFront  # noqa: E402

FIT_S = 240.0
Parts = dict[str, list[Excerpt]]


class Opus:
    """There and back; `kbit` is the rate that all calls took together."""

    def __init__(self, kbit: int):
        self.asked, self.bits, self.seconds = kbit, 0, 0.0

    def __call__(self, audio: np.ndarray) -> np.ndarray:
        """mono audio [1, n] at `RATE` -> the same shape"""
        with tempfile.TemporaryDirectory() as folder:
            before, coded, after = (os.path.join(folder, name) for name in ("before.wav", "coded.opus", "after.wav"))
            soundfile.write(before, audio.T, RATE, subtype="FLOAT")
            _call("opusenc", "--quiet", "--bitrate", str(self.asked), before, coded)
            _call("opusdec", "--quiet", "--float", "--rate", str(RATE), coded, after)
            self.bits += 8 * os.path.getsize(coded)
            self.seconds += audio.shape[1] / RATE
            made = soundfile.read(after, dtype="float32", always_2d=True)[0].T
        return np.pad(made, ((0, 0), (0, max(0, audio.shape[1] - made.shape[1]))))[:, : audio.shape[1]]

    @property
    def kbit(self) -> float:
        return self.bits / self.seconds / 1000


def _call(*line: str) -> None:
    done = subprocess.run(line, capture_output=True, text=True)
    if done.returncode:
        raise NoizestreamError(f"{line[0]} failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")


def synthesised(front: SpectralFront, bands_to_bands: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[np.ndarray], np.ndarray]:
    """audio [channels, n] -> bands -> `bands_to_bands` -> the synthesis that models play with -> [channels, n]"""
    synthesis, block = PhaseSynthesis(front), front.block

    def there_and_back(audio: np.ndarray) -> np.ndarray:
        padded = torch.nn.functional.pad(torch.from_numpy(audio.copy()), (4 * block, 8 * block))
        with torch.inference_mode():
            bands = bands_to_bands(front.analyse(padded))
            white = torch.rand(len(bands), block, generator=torch.Generator().manual_seed(0)).clamp(1e-6, 1 - 1e-6)
            made = synthesis.stream(bands, white)
        return made.numpy()[:, 4 * block : 4 * block + audio.shape[1]]

    return there_and_back


def pca(front: SpectralFront, latent: int, known: Parts) -> Callable[[torch.Tensor], torch.Tensor]:
    """Bands to bands through the `latent` first components of the `known` music, every genre weighted alike."""
    weight, moments = front.band_weight, []
    for parts in known.values():
        stretches = [part for excerpt in parts for part in excerpt.load(front.sample_rate, front.channels)[1]]
        bands = torch.cat([front.analyse(torch.from_numpy(part)) for part in stretches])
        weighted = (bands * weight).double()
        moments.append((weighted.mean(0), weighted.T @ weighted / len(weighted)))
    mean = torch.stack([first for first, _ in moments]).mean(0)
    square = torch.stack([second for _, second in moments]).mean(0)
    basis = torch.linalg.eigh(square - mean[:, None] * mean).eigenvectors[:, -latent:].float()
    return lambda bands: ((bands * weight - mean.float()) @ basis @ basis.T + mean.float()) / weight


def measure(data: str, model: str | None, seconds: float, rates: list[int], workers: int | None = None) -> dict[str, dict]:
    """Row -> `{"kbit": ..., "codec": ..., "tonal": ..., "genres": {genre: {"codec", "tonal", "seconds"}}}`."""
    real = describe(read_library(data), [], workers)
    unseen = {genre: found for genre, entry in real.items() if (found := excerpts(entry.pieces, UNSEEN, seconds))}
    known = {genre: found for genre, entry in real.items() if (found := excerpts(entry.pieces, KNOWN, FIT_S))}
    if not unseen:
        raise NoizestreamError(f"{data}: no music held out; its clips are too short")
    rows: dict[str, dict] = {}
    for rate in rates:
        opus = Opus(rate)
        rows[f"Opus {rate}"] = _row({genre: distances(parts, RATE, 1, opus) for genre, parts in unseen.items()}, opus.kbit)
    front = SpectralFront(RATE)
    if model is not None:
        probe = Probe(*artifact.load(artifact.find_model(model)))
        front = SpectralFront(probe.metadata.sample_rate, probe.metadata.block_frames, min(probe.metadata.channels, 2))
        if probe.offers("reconstruct"):
            rows["model"] = _row({genre: codec(probe, parts) or {} for genre, parts in unseen.items()})
        if probe.offers("encode"):
            some = next(iter(unseen.values()))[0].load(probe.metadata.sample_rate, probe.metadata.channels)[1][0]
            latent = probe("encode", some)[0].shape[1]
            through = synthesised(front, pca(front, latent, known))
            rows[f"PCA of {latent}"] = _row(_of(unseen, front, through))
    plain = synthesised(front, lambda bands: bands)
    rows["no latent"] = _row(_of(unseen, front, plain))
    return rows


def _of(unseen: Parts, front: SpectralFront, through: Callable[[np.ndarray], np.ndarray]) -> dict[str, dict[str, float]]:
    return {genre: distances(parts, front.sample_rate, front.channels, through) for genre, parts in unseen.items()}


def _row(genres: dict[str, dict[str, float]], kbit: float | None = None) -> dict[str, Any]:
    means = {name: float(np.mean([entry[name] for entry in genres.values()])) for name in ("codec", "tonal")}
    return {"kbit": kbit, **means, "genres": genres}


def show(rows: dict[str, dict]) -> None:
    from rich.console import Console
    from rich.table import Table

    genres = list(next(iter(rows.values()))["genres"])
    table = Table("", "kbit/s", "codec distance", "tonal distance", *genres, title="codec / tonal distance, per genre on the right")
    for name, row in rows.items():
        each = [f"{row['genres'][genre]['codec']:.3f} / {row['genres'][genre]['tonal']:.3f}" for genre in genres]
        table.add_row(name, f"{row['kbit']:.1f}" if row["kbit"] else "", f"{row['codec']:.4f}", f"{row['tonal']:.4f}", *each)
    Console(width=None if sys.stdout.isatty() else 60 + 16 * len(genres)).print(table)


def main(arguments: list[str] | None = None) -> dict[str, dict]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("model", nargs="?")
    parser.add_argument("--seconds", type=float, default=60.0, help="at most so much held-out music per genre")
    parser.add_argument("--kbit", default="12,16,24")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    if not all(shutil.which(program) for program in ("opusenc", "opusdec")):
        raise NoizestreamError("opusenc and opusdec are not installed (Debian: apt install opus-tools)")
    prepare_torch()
    rows = measure(asked.data, asked.model, asked.seconds, [int(rate) for rate in asked.kbit.split(",") if rate], asked.workers)
    show(rows)
    if asked.json:
        write_json(asked.json, rows)
    return rows


if __name__ == "__main__":
    try:
        main()
    except NoizestreamError as error:
        raise SystemExit(f"opus: {error}") from None
