"""Tables as people's programs write them: CSV with commas, semicolons or tabs, in whatever encoding, broken rows and all."""

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from noizestream.errors import NoizestreamError

DELIMITERS = ",;\t"
UTF_8, UTF_16, WINDOWS = "utf-8-sig", "utf-16", "cp1252"
PART = 1 << 20
"""Bytes that are looked at together; characters of a cell, at most: a quote that is never closed is noticed after so many."""
MOSTLY = 0.9
"""What is not UTF-8 hardly ever looks like it: a table in which more of what is not ASCII does has a few names in other bytes."""


def encoding_of(file: Path) -> str:
    """Return `UTF_16` by its mark, else `UTF_8`, or `WINDOWS` where nearly all that is not ASCII is no UTF-8.

    Raises NoizestreamError when `file` cannot be read or is no text.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    start, part = True, b""
    try:
        with file.open("rb") as source:
            while part := source.read(PART):
                if start and part.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                    return UTF_16
                if b"\0" in part:
                    raise NoizestreamError(f"{file}: not a CSV of path,genre: it is no text; save a table as CSV in UTF-8")
                decoder.decode(part)
                start = False
    except UnicodeDecodeError:
        beyond = [c for c in part.decode("utf-8", "surrogateescape") if not c.isascii()]
        wrong = sum("\udc80" <= c <= "\udcff" for c in beyond)
        return WINDOWS if wrong > MOSTLY * len(beyond) else UTF_8
    except OSError as error:
        raise NoizestreamError(f"{file}: cannot be read ({error.strerror})") from None
    return UTF_8


def rows(file: Path, encoding: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of its first line and the trimmed cells of every row in which there is anything.

    The delimiter is what the first row has most of, or what a line `sep=;` names. A row that breaks the rules of quotes is read as
    far as its first line goes, and takes no other with it. Bytes outside the encoding become surrogates, as in names of files.
    Raises NoizestreamError when `file` cannot be read.
    """
    csv.field_size_limit(max(csv.field_size_limit(), PART))
    try:
        with file.open(newline="", encoding=encoding, errors="strict" if encoding == UTF_16 else "surrogateescape") as source:
            yield from _rows(_Lines(source))
    except (OSError, UnicodeError) as error:
        raise NoizestreamError(f"{file}: cannot be read as a table ({error})") from None


def _rows(lines: "_Lines") -> Iterator[tuple[int, list[str]]]:
    delimiter = ""
    while (line := lines.ahead()) is not None:
        if not delimiter:
            named = re.fullmatch(r'"?sep=(.)"?', line.rstrip("\r\n"))
            delimiter = named[1] if named else max(DELIMITERS, key=line.count) if line.strip() else ""
            if named or not delimiter:
                next(lines)
                continue
        number = lines.number
        cells = [cell.strip() for cell in lines.row(delimiter)]
        if any(cells):
            yield number, cells


class _Lines:
    """The lines of a table, for csv.reader; `number` is that of the next one, from 1."""

    def __init__(self, source: Iterator[str]):
        self._source, self._ahead, self._taken = source, deque[str](), list[str]()
        self.number = 1

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._ahead.popleft() if self._ahead else next(self._source)
        self._taken.append(line)
        self.number += 1
        return line

    def ahead(self) -> str | None:
        """The next line, which stays where it is; None at the end."""
        if not self._ahead and (line := next(self._source, None)) is not None:
            self._ahead.append(line)
        return self._ahead[0] if self._ahead else None

    def row(self, delimiter: str) -> list[str]:
        """The cells of the next row, which goes over several lines where its quotes do."""
        self._taken = []
        try:
            return next(csv.reader(self, delimiter=delimiter, skipinitialspace=True, strict=True))
        except csv.Error:
            first, *rest = self._taken
            self._ahead.extendleft(reversed(rest))
            self.number -= len(rest)
        try:
            return next(csv.reader([first], delimiter=delimiter, skipinitialspace=True))
        except csv.Error:  # a cell that is longer than any name
            return [first[:80]]
