"""The layout of a row: every byte has its place and its meaning, and it is that of the rows in caches and model files."""

import hashlib

import pytest

from noizestream.nn.rows import BOOK, Rows

SIZES = [(rate, block, channels) for rate in (16000, 44100, 48000) for block in (128, 256, 512) for channels in (1, 2)]
DIGESTS = [
    ((48000, 512, 2), 174, "588ee5b028459ca5"),
    ((48000, 512, 1), 127, "761893e23fc4eb22"),
    ((16000, 128, 2), 89, "99534d9974a821a5"),
]


def digest_of(rows: Rows) -> str:
    """Of places and books."""
    _, start = rows.values()
    parts = [rows.places(start).numpy().astype("<i8"), *(book.numpy().astype("<f4") for book in rows.books.values())]
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()[:16]


@pytest.mark.parametrize("size", SIZES)
def test_every_byte_of_a_row_is_looked_up_and_every_number_that_it_may_mean_is_in_the_table(size):
    rows = Rows(*size)
    values, start = rows.values()
    byte, stride, offset = rows.places(start).unbind(-1)
    assert byte.shape == (rows.planes, rows.coefficients) and rows.planes == (6 if size[2] == 2 else 3)
    assert sorted(set(byte.flatten().tolist())) == list(range(rows.size))
    assert int((offset + stride * (BOOK - 1)).max()) < len(values) and int(offset.min()) >= 0
    assert not values[offset[stride == 0]].any(), "what has no byte is nothing"


@pytest.mark.parametrize("size", SIZES)
def test_bands_follow_each_other_and_kinds_of_bytes_too(size):
    rows = Rows(*size)
    assert rows.first == [sum(rows.widths[:b]) for b in range(rows.bands)] and rows.coefficients <= size[1]
    assert 0 == rows.at_shapes[0] < rows.at_levels < rows.at_shares < rows.mono == rows.at_side <= rows.size
    other = Rows(*size[:2], 3 - size[2])
    assert rows.mono == other.mono == min(rows.size, other.size), "of one channel it is the beginning of two"


@pytest.mark.parametrize(("size", "length", "digest"), DIGESTS)
def test_rows_that_were_written_mean_what_they_meant(size, length, digest):
    rows = Rows(*size)
    assert rows.size == length
    assert digest_of(rows) == digest, "another layout or other books need another FEATURES_VERSION"
