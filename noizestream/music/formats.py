"""Which files are audio that can be decoded here, judged by their names alone."""

import shutil
from pathlib import Path

SUPPORTED = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff"})
"""Extensions that libsndfile reads."""
FFMPEG_ONLY = frozenset({".m4a", ".mp4", ".aac", ".wma", ".ape", ".wv"})
"""Extensions that are read only where the `ffmpeg` program is installed, and listed as skipped elsewhere."""


def is_audio(path: Path) -> bool:
    """Whether it is called like an audio file."""
    return path.suffix.lower() in SUPPORTED | FFMPEG_ONLY


def unsupported(path: Path) -> str:
    """Why a file with this extension cannot be decoded here, or '' when it can."""
    extension = path.suffix.lower()
    if extension in SUPPORTED:
        return ""
    if extension in FFMPEG_ONLY:
        return "" if shutil.which("ffmpeg") else f"{extension[1:]} needs ffmpeg installed (or convert it to flac)"
    return f"not an audio format that is read here ({extension or 'no extension'})"
