"""Headers that lie about how much sound follows, and what is read in their place.

libsndfile believes the length that a header gives. An MP3 without a Xing frame gives none and one is guessed from its first
frame; of several MP3s in one file only the first is told of; a WAV that was written as a stream, or whose writer died, says 0.
"""

import re
from pathlib import Path
from typing import BinaryIO

CLOSE = 0.1
"""The bytes that a header tells of may differ by this share from those that there are: tags and padding."""
LEAST_BYTES_S = 500.0
"""No sound takes fewer bytes a second; a length that would need fewer is not believed."""
HEAD = 65536
BITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
BITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
"""kbit/s of layer III in MPEG 1, and in MPEG 2 and 2.5, by the number in a frame."""
RATES_HZ = (44100, 48000, 32000)


def unbelievable(seconds: float, size: int) -> bool:
    """Whether a file of `size` bytes cannot last so long."""
    return not 0 <= seconds <= size / LEAST_BYTES_S + 1


def mended_head(path: Path) -> tuple[bytes, int] | None:
    """Bytes to read in place of the file's beginning, and the offset at which the file goes on; None: it can be believed.

    What is then read has no length and is to be read to the end. Raises OSError.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD)
        if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
            return _wav(file, bytearray(head), size)
        return _mp3(file, size)


def _wav(file: BinaryIO, head: bytearray, size: int) -> tuple[bytes, int] | None:
    large, place = 0, 12
    while place + 8 <= len(head):
        name, told = head[place : place + 4], int.from_bytes(head[place + 4 : place + 8], "little")
        if name == b"ds64":  # the sizes of an RF64
            large = int.from_bytes(head[place + 16 : place + 24], "little")
            head[place : place + 4] = b"JUNK"
        elif name == b"data":
            first = place + 8
            told = large if head[:4] == b"RF64" else told
            rest = size - first - told
            if rest <= CLOSE * told or _is_chunk(file, first + told, size):
                return None
            head[:8] = b"RIFF" + b"\xff" * 4
            head[place + 4 : first] = b"\xff" * 4
            return bytes(head), len(head)
        place += 8 + told + told % 2
    return None


def _is_chunk(file: BinaryIO, place: int, size: int) -> bool:
    """Whether a chunk of a RIFF file begins at `place`, or behind the byte that makes it even."""
    file.seek(place + place % 2)
    header = file.read(8)
    return bool(re.fullmatch(rb"[ -~]{4}.{4}", header, re.DOTALL)) and int.from_bytes(header[4:], "little") <= size - place


def mp3_bytes_s(path: Path) -> float | None:
    """Bytes of a second of the MP3 at `path`, on average over its first frames (ISO 11172-3, 2.4.2.3); None if it is none."""
    with path.open("rb") as file:
        file.seek(_behind_tags(file))
        head = file.read(HEAD)
    place, frames, seconds = 0, 0, 0.0
    while place + 4 <= len(head) and _is_frame(head[place : place + 4]):
        first = head[place + 1] >> 3 & 3 == 3  # MPEG 1; the others have half the rate
        rate = RATES_HZ[head[place + 2] >> 2 & 3] >> (0 if first else 1 if head[place + 1] >> 3 & 3 == 2 else 2)
        bits = 1000 * (BITS_1 if first else BITS_2)[head[place + 2] >> 4]
        samples = 1152 if first else 576
        place += samples // 8 * bits // rate + (head[place + 2] >> 1 & 1)
        seconds += samples / rate
        frames += 1
    return place / seconds if frames > 1 else None


def _is_frame(head: bytes) -> bool:
    """Whether a frame of layer III with a bit rate and a sample rate begins so."""
    sync = head[0] == 0xFF and head[1] & 0xE6 == 0xE2 and head[1] & 0x18 != 0x08
    return sync and 0 < head[2] >> 4 < 15 and head[2] & 0x0C != 0x0C


def _mp3(file: BinaryIO, size: int) -> tuple[bytes, int] | None:
    start = _behind_tags(file)
    file.seek(start)
    head = file.read(HEAD)
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0 or head[1] & 6 == 0:  # 0 there is AAC
        return None
    mark = re.search(rb"Xing|Info|VBRI", head[:200])
    if mark is None:
        return head, start + len(head)
    told = _told(mark[0], head[mark.end() : mark.end() + 14])
    if told is None or abs(told - (size - start)) <= CLOSE * (size - start):
        return None
    return head[: mark.start()] + bytes(4) + head[mark.end() :], start + len(head)  # an ordinary frame, and a silent one


def _behind_tags(file: BinaryIO) -> int:
    start = 0
    while True:  # behind every ID3v2 tag
        file.seek(start)
        tag = file.read(10)
        if len(tag) < 10 or tag[:3] != b"ID3":
            break
        start += 10 + sum((byte & 127) << shift for byte, shift in zip(tag[6:], (21, 14, 7, 0), strict=True)) + (tag[5] & 16 and 10)
    return start


def _told(mark: bytes, fields: bytes) -> int | None:
    """Bytes of sound by what follows the mark of a Xing or VBRI frame; None where that is left out."""
    if mark == b"VBRI":
        return int.from_bytes(fields[6:10], "big")
    place = 8 if fields[3] & 1 else 4
    return int.from_bytes(fields[place : place + 4], "big") if fields[3] & 2 else None
