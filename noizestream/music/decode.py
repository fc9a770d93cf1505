"""One audio file to float32 at one rate; what cannot be used is a Skip with its reason. Many files: music/parallel.py."""

from pathlib import Path

import numpy as np

from noizestream.files import not_a_file
from noizestream.music.library import FFMPEG_ONLY
from noizestream.music.skipped import Skip
from noizestream.stderr import quiet_stderr

RATE = 48000
MIN_S = 3.0
"""Shorter clips are skipped: training needs a few seconds of context. Two bars at 160 BPM, so loops from sample packs stay."""
SILENT_DBFS = -60.0
"""Clips whose RMS over all channels is below this are skipped."""


def decode(path: str | Path, rate: int = RATE, start_s: float = 0.0, seconds: float | None = None) -> np.ndarray:
    """Return float32 [channels, n] at `rate` Hz (soxr HQ), from `start_s` for `seconds` (None: to the end).

    Raises Skip when the file is empty or cannot be read. An end that is cut off is not an error: what decodes is returned.
    """
    import soxr

    path = Path(path)
    if why := not_a_file(path):
        raise Skip(why)
    if path.stat().st_size == 0:
        raise Skip("empty file")
    with quiet_stderr():
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


def header_seconds(path: Path) -> float:
    """Length by the header, 0 where there is none to read (decoding will say why)."""
    import soundfile

    if not_a_file(path):
        return 0.0
    try:
        with quiet_stderr():
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
