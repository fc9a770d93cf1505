"""Names of genres: how they are shown, when two of them are the same, and the files that are called after them."""

import unicodedata
from collections.abc import Iterable, Sequence

from noizestream.system.names import as_text

MOST_BYTES = 120
"""Of a genre in a file name, in UTF-8: file systems take 255, and a number, an ending and more come to it."""

BREAKS = ("Cc", "Zl", "Zp")
"""Control characters, ends of lines and of paragraphs: their categories in Unicode."""


def plain(name: str) -> str:
    """Return `name` as it is shown: composed (macOS stores folder names decomposed), on one line, trimmed; "" if nothing is left.

    Bytes of a folder's name that are no UTF-8 become replacement characters: no file in UTF-8 can hold them as they are.
    """
    composed = unicodedata.normalize("NFC", as_text(name))
    shown = "".join(" " if unicodedata.category(c) in BREAKS else c for c in composed)
    return " ".join(shown.split())


def key(name: str) -> str:
    """Return what is the same for two names that mean the same genre.

    Neither case, nor white space, nor the Unicode form, nor characters that cannot be seen tell names apart.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", plain(name)).casefold())
    return " ".join("".join(c for c in folded if unicodedata.category(c) != "Cf").split())


def find(name: str, genres: Sequence[str]) -> int | None:
    """Return the position of `name` in `genres`: the very name, else the first that means the same; None if there is none."""
    if name in genres:
        return genres.index(name)
    wanted = key(name)
    return next((number for number, genre in enumerate(genres) if key(genre) == wanted), None)


def parts(text: str, genres: Sequence[str]) -> list[str]:
    """Split `text` at its commas, but not within one of `genres`, which may hold commas itself, with or without a `:WEIGHT`."""
    pieces, found = text.split(","), []
    while pieces:
        most = next((n for n in range(len(pieces), 1, -1) if _is_one(",".join(pieces[:n]), genres)), 1)
        found.append(",".join(pieces[:most]).strip())
        del pieces[:most]
    return [part for part in found if part]


def weighted(text: str, genres: Sequence[str]) -> tuple[str, float]:
    """Return the name and the weight of `NAME:WEIGHT`, or of `NAME` alone, whose weight is 1 and which may hold a colon itself."""
    name, colon, number = text.rpartition(":")
    if not colon or find(text, genres) is not None:
        return text, 1.0
    try:
        return name, float(number)
    except ValueError:
        return text, 1.0


def file_names(genres: Iterable[str]) -> dict[str, str]:
    """Return a file name without ending for every genre, no two alike, on disks that ignore case either.

    Letters and digits of any script stay, the rest becomes a dash. Where names meet, as those of `R&B` and `R B`, all but one get a
    number; the one that is not changed keeps its name.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    listed = list(genres)
    for genre in sorted(listed, key=lambda genre: _safe(genre) != genre):
        name, number = _safe(genre), 1
        while key(name) in taken:
            number += 1
            name = f"{_safe(genre)}-{number}"
        taken.add(key(name))
        names[genre] = name
    return {genre: names[genre] for genre in listed}


def _safe(genre: str) -> str:
    name = "".join(c if c.isalnum() else "-" for c in unicodedata.normalize("NFC", genre)).strip("-")
    return name.encode()[:MOST_BYTES].decode(errors="ignore").strip("-") or "genre"


def _is_one(text: str, genres: Sequence[str]) -> bool:
    return find(weighted(text, genres)[0], genres) is not None
