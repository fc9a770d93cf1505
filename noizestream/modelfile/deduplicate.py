"""A TorchScript archive inside another one of the same model: tensors that both have are kept once, byte for byte.

Which ones stands in the zip comment of the inner archive: JSON, name in there -> name in the outer one, both without their folder.
The comment of a zip holds 65,535 bytes, enough for a thousand tensors.
"""

import hashlib
import io
import json
import zipfile
from pathlib import Path

FEWEST_BYTES = 1024
"""Smaller entries are not worth their line in the comment."""


def without(inner: io.BytesIO, outer: io.BytesIO) -> bytes:
    """Return the archive `inner` without the tensors that `outer` holds too, and with a note of where they are."""
    with zipfile.ZipFile(outer) as archive:
        held = {_key(archive, entry): _inside(entry.filename) for entry in _tensors(archive)}
    left_out: dict[str, str] = {}
    result = io.BytesIO()
    with zipfile.ZipFile(inner) as archive, zipfile.ZipFile(result, "w") as smaller:
        there = {entry.filename: held.get(_key(archive, entry)) for entry in _tensors(archive)}
        for entry in archive.infolist():
            where = there.get(entry.filename)
            if where is None:
                smaller.writestr(entry, archive.read(entry))
            else:
                left_out[_inside(entry.filename)] = where
        smaller.comment = json.dumps(left_out, separators=(",", ":")).encode()
    return result.getvalue()


def complete(inner: io.BytesIO, outer: Path) -> io.BytesIO:
    """Return `inner` with what `without` took out of it, from the file `outer`; as it is if nothing was taken out.

    KeyError if `outer` does not hold it, zipfile.BadZipFile if one of the two is damaged.
    """
    with zipfile.ZipFile(inner) as archive:
        left_out: dict[str, str] = json.loads(archive.comment or b"{}")
        folder = archive.namelist()[0].split("/", 1)[0]
    if left_out:
        with zipfile.ZipFile(outer) as source, zipfile.ZipFile(inner, "a") as archive:
            around = source.namelist()[0].split("/", 1)[0]
            for name, where in left_out.items():
                archive.writestr(f"{folder}/{name}", source.read(f"{around}/{where}"))
    inner.seek(0)
    return inner


def _tensors(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    named = (entry for entry in archive.infolist() if _inside(entry.filename).startswith(("constants/", "data/")))
    return [entry for entry in named if entry.file_size >= FEWEST_BYTES]


def _key(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    return hashlib.sha256(archive.read(entry)).digest()


def _inside(name: str) -> str:
    """`name` of an entry without the folder that all entries of an archive are in."""
    return name.split("/", 1)[1]
