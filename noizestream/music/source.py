"""One audio file as it is read: from front to back, in blocks, whatever its header says of its length."""

import contextlib
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from noizestream.music.formats import FFMPEG_ONLY
from noizestream.music.headers import mended_head, unbelievable
from noizestream.music.skipped import Skip
from noizestream.system.files import not_a_file
from noizestream.system.soundfiles import opened
from noizestream.system.stderr import quiet_stderr

BLOCK_FRAMES = 1 << 13
"""Small, as the block in which a damaged file ends is lost."""
LOWEST_HZ, HIGHEST_HZ = 4_000, 768_000
MOST_CHANNELS = 16


class Source:
    """An open audio file of `channels` at its own `rate` in Hz. `seconds` is its length by a header that can be believed, or None.

    Raises Skip with the reason where nothing can be read, or where its rate or its channels are out of range.
    """

    def __init__(self, path: Path, stack: contextlib.ExitStack):
        """Open `path` until `stack` is left."""
        self._path, self._stack = path, stack
        self._file: Any = None
        self.seconds: float | None = None
        try:
            if reason := not_a_file(path):
                raise Skip(reason)
            if path.stat().st_size == 0:
                raise Skip("empty file")
            path.open("rb").close()
        except OSError as error:
            raise Skip(f"unreadable: {error.strerror}") from None
        with quiet_stderr():
            if path.suffix.lower() in FFMPEG_ONLY:
                self._open_ffmpeg()
            else:
                self._open()
        if not LOWEST_HZ <= self.rate <= HIGHEST_HZ:
            raise Skip(f"a sample rate of {self.rate} Hz: {LOWEST_HZ // 1000} to {HIGHEST_HZ // 1000} kHz can be read")
        if self.channels > MOST_CHANNELS:
            raise Skip(f"{self.channels} channels: at most {MOST_CHANNELS} can be read")

    def blocks(self, start_s: float = 0.0, seconds: float | None = None) -> Iterator[np.ndarray]:
        """float32 [n, channels] from `start_s` for `seconds` (None: to the end). To be called once.

        An end that is cut off or damaged is no error: what comes before it is given. Raises Skip where nothing can be read at all.
        """
        skip = round(start_s * self.rate)
        left = None if seconds is None else round(seconds * self.rate)
        if skip and self._file is not None and self.seconds is not None:
            try:
                self._file.seek(skip)
            except soundfile.SoundFileError:  # shorter than its header says
                return
            skip = 0
        while left != 0 and (block := self._next()) is not None:
            part = block[skip:][:left]
            skip = max(0, skip - len(block))
            left = None if left is None else left - len(part)
            if len(part):
                yield part

    def _open(self) -> None:
        try:
            head = mended_head(self._path)
            mended = None if head is None else _Straight(_piped(self._path, *head, self._stack), closefd=False)
            self._file = self._stack.enter_context(mended or opened(self._path, _Straight))
        except (soundfile.SoundFileError, OSError) as error:
            return self._instead(error)
        self.rate, self.channels = self._file.samplerate, self._file.channels
        if head is None and not unbelievable(self._file.frames / self.rate, self._path.stat().st_size):
            self.seconds = self._file.frames / self.rate
        self._blocks = self._read()

    def _read(self) -> Iterator[np.ndarray]:
        """The file by libsndfile; or by ffmpeg, where that cannot read even the beginning."""
        begun = False
        while True:
            try:
                block = self._file.read(BLOCK_FRAMES, dtype="float32", always_2d=True)
            except (soundfile.SoundFileError, OSError) as error:
                if begun or self._file.tell():
                    return
                self._instead(error)
                yield from self._blocks
                return
            if not len(block):
                return
            begun = True
            yield block

    def _instead(self, error: Exception) -> None:
        rate = getattr(self, "rate", None)
        try:
            self._open_ffmpeg()
            if rate in (None, self.rate):
                return
        except Skip:
            pass
        # libsndfile's own words mislead here ("File does not exist" for a text file named .mp3)
        raise Skip("unreadable: not audio, or damaged") from error

    def _open_ffmpeg(self) -> None:
        """The same through audioread, for what libsndfile does not know. Needs the ffmpeg program."""
        if shutil.which("ffmpeg") is None:
            raise Skip("unreadable (ffmpeg, which might read it, is not installed)")
        import audioread.ffdec

        broken = (audioread.DecodeError, OSError, ValueError)
        try:
            file = self._stack.enter_context(audioread.ffdec.FFmpegAudioFile(str(self._path)))
        except broken:
            raise Skip("unreadable") from None
        self._file, self.seconds = None, None
        self.rate, self.channels = file.samplerate, file.channels

        def read() -> Iterator[np.ndarray]:
            with contextlib.suppress(*broken):
                for data in file:
                    yield np.frombuffer(data, "<i2").reshape(-1, file.channels).astype(np.float32) / 32768

        self._blocks = read()

    def _next(self) -> np.ndarray | None:
        with quiet_stderr():
            return next(self._blocks, None)


def header_seconds(path: Path) -> float:
    """Length by the header; 0 where there is none, or none that can be believed: decoding will tell. Nothing is decoded."""
    try:
        if not_a_file(path) or mended_head(path) is not None:
            return 0.0
        with quiet_stderr(), opened(path) as file:
            seconds = file.frames / file.samplerate if LOWEST_HZ <= file.samplerate <= HIGHEST_HZ else 0.0
        return 0.0 if unbelievable(seconds, path.stat().st_size) else seconds
    except (soundfile.SoundFileError, OSError):
        return 0.0


class _Straight(soundfile.SoundFile):
    """Read as a pipe is: soundfile would seek after every block, and that fails at the end of a FLAC without a length."""

    def seekable(self) -> bool:
        return False


def _piped(path: Path, head: bytes, offset: int, stack: contextlib.ExitStack) -> int:
    """The end of a pipe out of which come `head` and what `path` has from `offset` on. Only so does libsndfile expect no length."""
    out, into = os.pipe()
    stack.callback(os.close, out)

    def feed() -> None:
        with contextlib.suppress(OSError), open(into, "wb") as pipe, path.open("rb") as file:  # the reader may go before the end
            pipe.write(head)
            file.seek(offset)
            shutil.copyfileobj(file, pipe)

    threading.Thread(target=feed, daemon=True, name="feed").start()
    return out
