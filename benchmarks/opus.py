"""How good is what a model keeps of a sound? Opus, the memory's codec and the model on the same held-out music, by `evaluate`'s
distances.

    python benchmarks/opus.py DATA [MODEL] [--seconds 60] [--kbit 16,32,96] [--json FILE]

    Opus N      opusenc --bitrate N (its default variable rate) and back, mono; the rate beside it is the one it took
    codec       the codec of the memory (noizestream/nn/codec.py), mono, at the rate beside it
    model       `reconstruct` of the model file, where it has it

A stereo model hears and makes two channels; distances are of the mono mix, means over the genres. Needs opus-tools (Debian: apt
install opus-tools).
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")

import numpy as np  # noqa: E402
import soundfile  # noqa: E402
import torch  # noqa: E402

from benchmarks.program import print_table, run  # noqa: E402
from noizestream.analysis.corpus import describe  # noqa: E402
from noizestream.analysis.excerpts import UNSEEN, excerpts  # noqa: E402
from noizestream.analysis.probing import Probe, codec, distances  # noqa: E402
from noizestream.engine.generator import prepare_torch  # noqa: E402
from noizestream.errors import NoizestreamError  # noqa: E402
from noizestream.modelfile import archive  # noqa: E402
from noizestream.music.decode import RATE  # noqa: E402
from noizestream.music.library import read_library  # noqa: E402
from noizestream.nn.codec import Codec  # noqa: E402
from noizestream.system.jsonfile import write_json  # noqa: E402


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


def there_and_back(audio: np.ndarray) -> np.ndarray:
    """mono audio [1, n] at `RATE` through the codec of the memory -> the same shape"""
    net, length = Codec(RATE, channels=1), audio.shape[1]
    padded = torch.nn.functional.pad(torch.from_numpy(audio.copy()), (net.block, 2 * net.block))
    with torch.inference_mode():
        made = net.stream(net.encode(padded, torch.zeros(padded.shape[1] // net.block - 1, net.bands)))
    return made.numpy()[:, net.block : net.block + length]


def measure(data: str, model: str | None, seconds: float, rates: list[int], workers: int | None = None) -> dict[str, dict]:
    """Row -> `{"kbit": ..., "codec": ..., "tonal": ..., "genres": {genre: {"codec", "tonal", "seconds"}}}`."""
    real = describe(read_library(data), [], workers)
    unseen = {genre: found for genre, entry in real.items() if (found := excerpts(entry.pieces, UNSEEN, seconds))}
    if not unseen:
        raise NoizestreamError(f"{data}: no music held out; its clips are too short")
    rows: dict[str, dict] = {}
    for rate in rates:
        opus = Opus(rate)
        rows[f"Opus {rate}"] = _row({genre: distances(parts, RATE, 1, opus) for genre, parts in unseen.items()}, opus.kbit)
    own = Codec(RATE, channels=1)
    kbit = 8 * own.size * RATE / own.block / 1000
    rows["codec"] = _row({genre: distances(parts, RATE, 1, there_and_back) for genre, parts in unseen.items()}, kbit)
    if model is not None:
        probe = Probe(*archive.load(archive.find_model(model)))
        if probe.offers("reconstruct"):
            rows["model"] = _row({genre: codec(probe, parts) or {} for genre, parts in unseen.items()})
    return rows


def _row(genres: dict[str, dict[str, float]], kbit: float | None = None) -> dict[str, Any]:
    means = {name: float(np.mean([entry[name] for entry in genres.values()])) for name in ("codec", "tonal")}
    return {"kbit": kbit, **means, "genres": genres}


def show(rows: dict[str, dict]) -> None:
    from rich.table import Table

    genres = list(next(iter(rows.values()))["genres"])
    table = Table("", "kbit/s", "codec distance", "tonal distance", *genres, title="codec / tonal distance, per genre on the right")
    for name, row in rows.items():
        each = [f"{row['genres'][genre]['codec']:.3f} / {row['genres'][genre]['tonal']:.3f}" for genre in genres]
        table.add_row(name, f"{row['kbit']:.1f}" if row["kbit"] else "", f"{row['codec']:.4f}", f"{row['tonal']:.4f}", *each)
    print_table(table, 60 + 16 * len(genres))


def main(arguments: list[str] | None = None) -> dict[str, dict]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("data")
    parser.add_argument("model", nargs="?")
    parser.add_argument("--seconds", type=float, default=60.0, help="at most so much held-out music per genre")
    parser.add_argument("--kbit", default="16,32,96")
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
    run(main)
