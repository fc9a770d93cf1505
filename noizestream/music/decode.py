"""Audio files to float32 at one rate, in parallel, lazily and in order; what cannot be used is skipped with its reason.

Files are decoded in processes of their own: a codec's chatter on standard error stays there, and one that crashes takes
only its file with it. A long track comes in pieces of `PIECE_S`, so memory depends on the workers, not on the library.
"""

import contextlib
import math
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from noizestream.errors import NoizestreamError
from noizestream.music.library import FFMPEG_ONLY
from noizestream.music.skipped import Skip, Skipped
from noizestream.music.tracks import Track

RATE = 48000
MIN_S = 3.0
"""Shorter clips are skipped: training needs a few seconds of context. Two bars at 160 BPM, so loops from sample packs stay."""
SILENT_DBFS = -60.0
"""Clips whose RMS over all channels is below this are skipped."""
PIECE_S = 300.0
"""Tracks longer than this are decoded in equal pieces of at most this length plus `MIN_S`."""


@dataclass(frozen=True)
class Decoded:
    """A piece of `track` that begins `start_s` seconds into it. `audio` is float32 [channels, n], or what `then` made of it."""

    track: Track
    start_s: float
    audio: Any


def decode(path: str | Path, rate: int = RATE, start_s: float = 0.0, seconds: float | None = None) -> np.ndarray:
    """Return float32 [channels, n] at `rate` Hz (soxr HQ), from `start_s` for `seconds` (None: to the end).

    Raises Skip when the file is empty or cannot be read. An end that is cut off is not an error: what decodes is returned.
    """
    import soxr

    path = Path(path)
    if not path.is_file():
        raise Skip("missing file")
    if path.stat().st_size == 0:
        raise Skip("empty file")
    with _quiet():
        audio, native = _read_ffmpeg(path) if path.suffix.lower() in FFMPEG_ONLY else _read(path, start_s, seconds)
    if path.suffix.lower() in FFMPEG_ONLY:  # no seeking there: cut after the fact
        first = round(start_s * native)
        audio = audio[first : None if seconds is None else first + round(seconds * native)]
    if len(audio) == 0:
        raise Skip("no audio in it")
    if native != rate:
        audio = soxr.resample(audio, native, rate, quality="HQ")
    return np.ascontiguousarray(audio.T, dtype=np.float32)


def examine(audio: np.ndarray, rate: int) -> None:
    """Raise Skip when `audio` [channels, n] is shorter than `MIN_S`, has NaN or infinite samples, or is silent."""
    seconds = audio.shape[-1] / rate
    if seconds < MIN_S:
        raise Skip(f"too short: {seconds:.1f} s, at least {MIN_S:g} s are needed")
    if not np.isfinite(audio).all():
        raise Skip("has NaN or infinite samples")
    power = float(np.mean(np.square(audio, dtype=np.float64)))
    if power < 10 ** (SILENT_DBFS / 10):
        raise Skip(f"silent: below {SILENT_DBFS:g} dBFS throughout")


def decode_all(
    tracks: Sequence[Track],
    skipped: list[Skipped],
    rate: int = RATE,
    workers: int | None = None,
    then: Callable[[Track, np.ndarray], Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Decoded]:
    """Yield a `Decoded` per piece, in the order of `tracks`; files that cannot be used are appended to `skipped`.

    `workers` is the number of processes (None: one per processor; 0: in this process). `then(track, audio)`, a module-level
    function, runs in the worker, so that only its result crosses over; it may raise Skip. `progress(done, total)` counts tracks.
    """
    count = (os.cpu_count() or 1) if workers is None else workers
    pending: deque[tuple[_Task, Future]] = deque()
    with contextlib.ExitStack() as stack:
        pool = _Pool(count, stack)
        ahead = count + 2
        tasks = _tasks(tracks, rate, then)
        done = 0
        for task in tasks:
            pending.append((task, pool.submit(task)))
            if len(pending) < ahead:
                continue
            yield from _settle(pending, pool, skipped)
            done = _report(progress, done, pending, tracks)
        while pending:
            yield from _settle(pending, pool, skipped)
            done = _report(progress, done, pending, tracks)


@dataclass(frozen=True)
class _Task:
    number: int  # of the track
    track: Track
    rate: int
    start_s: float
    seconds: float | None
    then: Callable[[Track, np.ndarray], Any] | None

    def run(self) -> Any:
        """In the worker: the result, or the reason as a `Skipped` (an exception would lose its type on the way)."""
        try:
            audio = decode(self.track.path, self.rate, self.start_s, self.seconds)
            examine(audio, self.rate)
            return audio if self.then is None else self.then(self.track, audio)
        except Skip as error:
            where = f" (from {self.start_s:.0f} s)" if self.start_s else ""
            return Skipped(str(self.track.path), f"{error}{where}")


class _Pool:
    """A process pool that can be replaced when a worker died; with no workers it runs tasks in this process."""

    def __init__(self, workers: int, stack: contextlib.ExitStack):
        self._workers, self._stack = workers, stack
        self._pool = self._start(workers) if workers else None

    def _start(self, workers: int) -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_silence_stderr)
        self._stack.callback(pool.shutdown, wait=True, cancel_futures=True)
        return pool

    def submit(self, task: _Task) -> Future:
        if self._pool is None:
            future: Future = Future()
            future.set_result(task.run())
            return future
        return self._pool.submit(task.run)

    def restart(self) -> None:
        self._pool = self._start(self._workers)


def _settle(pending: deque, pool: _Pool, skipped: list[Skipped]) -> Iterator[Decoded]:
    """Wait for the oldest task and yield its result, if it has one."""
    task, future = pending.popleft()
    try:
        result = future.result()
    except BrokenProcessPool:
        # Which file killed the worker is unknown: try the oldest alone, then give the others back to a fresh pool.
        pool.restart()
        try:
            result = pool.submit(task).result()
        except BrokenProcessPool:
            result = Skipped(str(task.track.path), "the decoder crashed on it (or memory ran out)")
            pool.restart()
        rest = [(other, pool.submit(other)) for other, _ in pending]
        pending.clear()
        pending.extend(rest)
    if isinstance(result, Skipped):
        skipped.append(result)
    else:
        yield Decoded(task.track, task.start_s, result)


def _report(progress, done: int, pending: deque, tracks: Sequence[Track]) -> int:
    now = pending[0][0].number if pending else len(tracks)
    if progress is not None and now != done:
        progress(now, len(tracks))
    return now


def _tasks(tracks: Sequence[Track], rate: int, then) -> Iterator[_Task]:
    for number, track in enumerate(tracks):
        seconds = header_seconds(track.path)
        pieces = max(1, math.ceil((seconds - MIN_S) / PIECE_S))
        for piece in range(pieces):
            yield _Task(number, track, rate, piece * seconds / pieces, seconds / pieces if pieces > 1 else None, then)


def header_seconds(path: Path) -> float:
    """Length by the header, 0 where there is none to read (decoding will say why)."""
    import soundfile

    try:
        with _quiet():
            return soundfile.info(str(path)).duration
    except (soundfile.SoundFileError, OSError):
        return 0.0


def _read(path: Path, start_s: float, seconds: float | None) -> tuple[np.ndarray, int]:
    """float32 [n, channels] and its rate, by libsndfile."""
    import soundfile

    try:
        with soundfile.SoundFile(str(path)) as file:
            if start_s:
                file.seek(min(round(start_s * file.samplerate), file.frames))
            frames = -1 if seconds is None else round(seconds * file.samplerate)
            return file.read(frames, dtype="float32", always_2d=True), file.samplerate
    except (soundfile.SoundFileError, OSError) as error:
        try:
            return _read_ffmpeg(path)
        except Skip:  # libsndfile's own words mislead here ("File does not exist" for a text file named .mp3)
            raise Skip("unreadable: not audio, or damaged") from error


def _read_ffmpeg(path: Path) -> tuple[np.ndarray, int]:
    """The same through audioread, for what libsndfile does not know. Needs the ffmpeg program."""
    import shutil

    if shutil.which("ffmpeg") is None:
        raise Skip("unreadable (ffmpeg, which might read it, is not installed)")
    import audioread.ffdec

    try:
        with audioread.ffdec.FFmpegAudioFile(str(path)) as file:
            samples = np.frombuffer(b"".join(file), "<i2").astype(np.float32) / 32768
            return samples.reshape(-1, file.channels), file.samplerate
    except (audioread.DecodeError, OSError, ValueError):
        raise Skip("unreadable") from None


def _silence_stderr() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Send file descriptor 2 to nowhere: mpg123 inside libsndfile writes there, past Python."""
    try:
        sys.stderr.flush()
        kept = os.dup(2)
    except (OSError, AttributeError, ValueError):  # no standard error at all
        yield
        return
    try:
        _silence_stderr()
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def require_some(found: int, skipped: Sequence[Skipped], name: str) -> None:
    """Raise NoizestreamError when nothing usable was left."""
    if found == 0:
        first = f", the first: {skipped[0].reason}" if skipped else ""
        raise NoizestreamError(f"{name}: nothing left to learn from, all {len(skipped)} files were skipped{first}")
