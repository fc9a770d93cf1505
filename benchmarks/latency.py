"""Control to sound of `noizestream play`, end to end over JACK: from a MIDI event to the sound of it, many times over.

    python benchmarks/latency.py [MODEL ...] [--latency default low] [--changes 40] [--period 256]

A second JACK client plays the keys and records. Genre: the same seed and the same controls give the same samples, so the model is
rendered beside without the change, and the first recorded sample that differs is the first one made with the new value; what the
model looks ahead (its `latency_frames`) is added, for the change is weak before that. Then volume, mute and panic on a pure tone:
the first sample that is no longer the tone, and the first of the silence. The device's own latency, about two periods,
comes on top. MODEL: files or names of bundled models; without any, all bundled ones.
"""

import argparse
import copy
import os
import runpy
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # before torch: it warns of quantisers that dynamic int8 has none of

from noizestream.modelfile import archive  # noqa: E402
from rig.harness import Heard, play  # noqa: E402
from rig.jack_server import JackServer  # noqa: E402

APART_S = 0.2637
"""Between two changes: not in step with any model's blocks, and longer than any ring keeps."""
TRIES = 12
"""So many periods around a lost one are looked at for one that was not lost."""
MATCH = 64
"""Samples that agree exactly only where they are the same."""
TONE_HZ = 440.0
QUICK = {
    "volume": ([0xB0, 7, 0], [0xB0, 7, 127]),
    "mute": ([0xB0, 9, 127], [0xB0, 9, 0]),
    "panic": ([0xB0, 120, 0], [0xB0, 127, 0]),  # it ends by itself: the second message means nothing
}
"""Controls that act in the callback: the message that silences, and the one that lets it sound again."""


class Replay:
    """Renders what `play` would play, block by block, and can go back to any block and take another genre from there."""

    def __init__(self, model: Path):
        from noizestream.engine.generator import load, prepare_torch
        from noizestream.engine.safety import SafeStream

        prepare_torch()
        self.stream = SafeStream(load(model, 0))
        self.frames = self.stream.generator.metadata.block_frames
        self.audio = np.zeros(0, np.float32)  # of the first channel
        self._kept: list[tuple] = []

    def until(self, end: int) -> np.ndarray:
        """The samples up to `end` at least."""
        generator, parts = self.stream.generator, [self.audio]
        while len(self._kept) * self.frames < end:
            self._kept.append(([part.clone() for part in generator.state], copy.deepcopy(self.stream.safety)))
            parts.append(self.stream.step()[0])
        self.audio = np.concatenate(parts)
        return self.audio

    def change(self, block: int, genre: int) -> None:
        """Take `genre` from `block` on."""
        generator = self.stream.generator
        generator.state, self.stream.safety = self._kept[block]
        generator.block = block
        generator.set_genre([float(number == genre) for number in range(len(generator.genres))])
        del self._kept[block:]
        self.audio = self.audio[: block * self.frames]


def genre_changes(heard: Heard, model: Path, genres: Sequence[int], period: int) -> list[float]:
    """Seconds from each message to the first sample made with the new genre; changes that a late server hides are left out."""
    replay, wave = Replay(model), heard.audio[:, 0]
    first = int(np.flatnonzero(wave)[0])
    found, offset = [], None
    for number, event in enumerate(heard.sent):
        end = int(heard.sent[number + 1]) if number + 1 < len(heard.sent) else len(wave)
        near = offset if offset is not None else first // period * period
        windows = [int(event) - 2 * MATCH - back * period for back in range(TRIES)]
        offset = next((at for at in (place(wave, replay, window, near, period) for window in windows) if at is not None), None)
        at = None if offset is None else differs(wave, replay, int(event), end, offset, period)
        if at is None:
            return found  # no more samples agree: the server has lost too much
        sample, offset = at
        replay.change((sample - offset) // replay.frames, genres[number])
        found.append((sample - int(event)) / heard.rate)
    return found


def place(wave: np.ndarray, replay: Replay, at: int, near: int, period: int, reach: int = 400) -> int | None:
    """Where in `wave` the replay begins, judged at `at`: whole periods from `near`, as a late server shifts it; None: nowhere."""
    wanted = wave[at : at + MATCH]
    if not wanted.any():
        return None
    for shift in sorted(range(-reach, reach + 1), key=abs):
        begin = at - near - shift * period
        if begin >= 0 and np.array_equal(replay.until(begin + MATCH)[begin : begin + MATCH], wanted):
            return near + shift * period
    return None


def differs(wave: np.ndarray, replay: Replay, start: int, end: int, offset: int, period: int) -> tuple[int, int] | None:
    """The first sample from `start` that the replay does not have, and the offset there; passes over periods that were lost."""
    while True:
        rendered = replay.until(end - offset)[start - offset : end - offset]
        places = np.flatnonzero(rendered != wave[start:end])
        if not len(places):
            return None
        sample = start + int(places[0])
        afters = [sample + ahead * period for ahead in range(2, TRIES) if sample + ahead * period + MATCH < end]
        moved = ((after, place(wave, replay, after, offset, period, reach=8)) for after in afters)
        start, shifted = next(((after, at) for after, at in moved if at is not None), (sample, None))
        if shifted is None:
            return sample, offset
        offset = shifted


def silences(heard: Heard, period: int) -> tuple[list[float], list[float]]:
    """Seconds from every second message to the first sample that is not the tone, and to the first of a period of silence."""
    wave = heard.audio[:, 0].astype(np.float64)
    turn = 2 * np.cos(2 * np.pi * TONE_HZ / heard.rate)
    first, silent = [], []
    for event in heard.sent[::2]:
        part = wave[event - 2 : event + heard.rate // 8]
        residue = np.abs(part[2:] - turn * part[1:-1] + part[:-2])
        quiet = np.convolve(np.abs(part[2:]), np.ones(period), "valid")
        if residue[:16].max() < 5e-6 and (quiet < 1e-9).any():
            first.append(float(np.flatnonzero(residue > 5e-6)[0]) / heard.rate)
            silent.append(float(np.flatnonzero(quiet < 1e-9)[0]) / heard.rate)
    return first, silent


def show(what: str, seconds: Sequence[float], asked: int, more: str = "") -> None:
    if not seconds:
        print(f"  {what:28} nothing could be measured: the server lost too many periods")
        return
    p50, p95, most = (1e3 * float(np.quantile(seconds, q)) for q in (0.5, 0.95, 1.0))
    print(f"  {what:28} median {p50:5.1f} ms   p95 {p95:5.1f}   max {most:5.1f}   ({len(seconds)} of {asked}){more}")


def measure(server: JackServer, folder: Path, arguments: list[str], events: list[tuple[float, list[int]]]) -> tuple[Heard, dict]:
    run = play(server, folder, [*arguments, "--headless", "--seconds", str(events[-1][0] + 3)], events, limit_s=120)
    if run.heard is None:
        sys.exit(run.err)
    return run.heard, run.stats


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="files or bundled names (default: all bundled ones)")
    parser.add_argument("--latency", nargs="+", default=["default", "low"], help="as in `play --latency`")
    parser.add_argument("--changes", type=int, default=40)
    parser.add_argument("--period", type=int, default=256, help="of the JACK server, in frames")
    asked = parser.parse_args()
    models = [archive.find_model(model) for model in asked.models] or list(archive.bundled_models().values())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sine = folder / "sine.ts"
        runpy.run_path(str(ROOT / "examples" / "sine_model.py"), run_name="sine_model")["write"](str(sine))
        for model in models:
            metadata = archive.read_metadata(model)
            ahead = metadata.latency_frames / metadata.sample_rate
            with JackServer(f"noizestream-bench-{os.getpid()}", asked.period, metadata.sample_rate) as server:
                print(f"{metadata.name}: blocks of {metadata.block_frames}, periods of {asked.period}, {metadata.sample_rate} Hz")
                for latency in asked.latency:
                    genres = [number % len(metadata.genres) for number in range(1, asked.changes + 1)]
                    events = [(APART_S * number, [0xC0, genre]) for number, genre in enumerate(genres)]
                    heard, stats = measure(server, folder, [str(model), "--latency", latency], events)
                    times = genre_changes(heard, model, genres, asked.period)
                    more = f"; the server was late {heard.xruns} times, underruns {stats['underruns']}"
                    show(f"--latency {latency}, genre", [seconds + ahead for seconds in times], asked.changes, more)
                    print(f"  {'':28} of this {1e3 * ahead:.1f} ms is what the model looks ahead, {stats['ring_ms']:.1f} the ring")
        with JackServer(f"noizestream-bench-{os.getpid()}", asked.period) as server:
            print(f"a pure tone, periods of {asked.period} ({1e3 * asked.period / 48000:.1f} ms)")
            for what, (off, on) in QUICK.items():
                pairs = [(2 * APART_S * number, off, on) for number in range(asked.changes)]
                events = [event for when, off, on in pairs for event in ((when, off), (when + APART_S, on))]
                heard, _ = measure(server, folder, [str(sine), "-g", "B", "-t", "0"], events)
                first, silent = silences(heard, asked.period)
                show(f"{what}, first sample", first, asked.changes)
                show(f"{what}, silence", silent, asked.changes)


if __name__ == "__main__":
    main()
