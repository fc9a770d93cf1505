"""Tables of path and genre: every row that cannot be used is listed, and paths are what other programs make of them."""

import os
import unicodedata

import pytest

from noizestream.errors import NoizestreamError
from noizestream.music.library import read_library
from tests.music.test_library import touch


def library_of(folder, text, encoding="utf-8"):
    (folder / "list.csv").write_text(text, encoding=encoding)
    return read_library(folder / "list.csv")


@pytest.mark.parametrize("delimiter", [";", "\t", ","])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_spreadsheet_of_any_country(tmp_path, delimiter, encoding):
    touch(tmp_path / "a.wav", tmp_path / "été.wav")
    lines = ["Path;Genre;Title;Split", 'a.wav;"Höch; 1\n2";T;train', "été.wav;Jazz;;", ";;;"]
    library = library_of(tmp_path, "\n".join(lines).replace(";", delimiter), encoding)
    assert [(t.path.name, t.genre, t.title, t.split) for t in library.tracks] == [
        ("a.wav", f"Höch{delimiter.strip() and delimiter} 1 2", "T", "training"),
        ("été.wav", "Jazz", "été", None),
    ]
    assert not library.skipped and bool(library.notes) == (encoding == "cp1252")


def test_every_row_that_cannot_be_used_is_listed(tmp_path):
    touch(*(tmp_path / f"{name}.wav" for name in "abcde"))
    (tmp_path / "folder").mkdir()
    rows = ["a.wav,Jazz", ",Jazz", "b.wav", "b.wav, ", "folder,Jazz", "one, two.wav,Jazz", "c.wav,\x01\u200b", "./a.wav,Dub"]
    rows += ["gone.wav,Dub", 'd.wav,"Jazz', "e.wav,Jazz", f"{'x' * 5000},Jazz"]
    library = library_of(tmp_path, "path,genre\n" + "\n".join(rows))
    assert [track.path.name for track in library.tracks] == ["a.wav", "d.wav", "e.wav"] and library.genres == ("Jazz",)
    assert [(entry.item.split("/")[-1][:20], entry.reason.split(":")[0]) for entry in library.skipped] == [
        ("list.csv line 3", "no path"),
        ("b.wav", "no genre"),
        ("b.wav", "no genre"),
        ("folder", "is a folder, not a file"),
        ("list.csv line 7", "3 cells where the first line names 2"),
        ("gone.wav", "missing file"),
        ("x" * 20, "cannot be read (File name too long)"),
        ("a.wav", "listed twice"),
        ("c.wav", "no genre"),
    ]


def test_paths_as_other_programs_write_them(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    names = ("sub/a.wav", "~odd.wav", "home/b.wav", "c d%.wav", "back\\slash.wav", unicodedata.normalize("NFD", "é.wav"))
    touch(*(tmp_path / name for name in names))
    texts = ("sub\\a.wav", "~odd.wav", "~/b.wav", f"file://{tmp_path}/c%20d%25.wav", "back\\slash.wav", "é.wav")
    library = library_of(tmp_path, "path,genre\n" + "".join(f"{text},Jazz\n" for text in texts))
    assert not library.skipped
    assert [os.path.relpath(track.path, tmp_path) for track in library.tracks] == list(names)


def test_names_of_files_in_another_encoding(tmp_path):
    touch(tmp_path / os.fsdecode(b"caf\xe9.wav"), tmp_path / os.fsdecode(b"\xfc.wav"), tmp_path / "ü.wav")
    for content in (b"path,genre\ncaf\xe9.wav,Caf\xe9\n", "path,genre\nü.wav,ü\n".encode() + b"\xfc.wav,x\xfc\ncaf\xe9.wav,Jazz\n"):
        (tmp_path / "list.csv").write_bytes(content)
        library = read_library(tmp_path / "list.csv")
        assert not library.skipped and all(genre.encode() for genre in library.genres)
    assert library.genres == ("Jazz", "x\ufffd", "ü")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is empty"),
        (b"file;label\na.wav;Jazz\n", "columns path and genre, not 'file, label'"),
        (b"PK\x03\x04\0\0", "save a table as CSV"),
        ("\ufeffpath,genre\n".encode("utf-16-le")[:-1], "cannot be read"),
    ],
)
def test_what_is_no_table_is_one_line(tmp_path, content, says):
    (tmp_path / "list.csv").write_bytes(content)
    with pytest.raises(NoizestreamError, match=says) as caught:
        read_library(tmp_path / "list.csv")
    assert "\n" not in str(caught.value) and "list.csv" in str(caught.value)
