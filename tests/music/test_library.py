"""Libraries: folders, FMA trees and CSVs. Nothing is decoded, so the files may be empty."""

import os
import unicodedata
from pathlib import Path

import pytest

from noizestream.errors import NoizestreamError, UsageError
from noizestream.music.library import read_library

FMA_TINY = Path(__file__).parents[2].parent / "shared" / "fma_tiny"
HEADER = (
    ",artist,set,set,track,track,track\n"
    ",name,split,subset,genre_top,license,title\n"
    "track_id,,,,,,\n"
)  # fmt: skip


def touch(*files: Path) -> None:
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def test_first_folder_level_is_the_genre(tmp_path):
    touch(
        tmp_path / "Jazz" / "a.wav",
        tmp_path / "Jazz" / "live" / "1959" / "b.FLAC",
        tmp_path / "Dub" / "c.mp3",
        tmp_path / "Dub" / "d.ogg",
    )
    library = read_library(tmp_path)
    assert library.kind == "folders" and library.genres == ("Dub", "Jazz")
    assert {(t.path.name, t.genre, t.split) for t in library.tracks} == {
        ("a.wav", "Jazz", None),
        ("b.FLAC", "Jazz", None),
        ("c.mp3", "Dub", None),
        ("d.ogg", "Dub", None),
    }
    assert not library.of("validation")


def test_hidden_and_other_files_are_ignored_and_loose_ones_listed(tmp_path):
    touch(
        tmp_path / "Jazz" / "a.wav",
        tmp_path / "Jazz" / "._a.wav",
        tmp_path / "Jazz" / "cover.jpg",
        tmp_path / ".git" / "x.wav",
        tmp_path / "loose.wav",
    )
    library = read_library(tmp_path)
    assert [t.path.name for t in library.tracks] == ["a.wav"]
    assert [(Path(s.item).name, "no genre" in s.reason) for s in library.skipped] == [("loose.wav", True)]


def test_m4a_is_listed_where_there_is_no_ffmpeg(tmp_path, monkeypatch):
    touch(tmp_path / "Jazz" / "a.wav", tmp_path / "Jazz" / "b.m4a")
    monkeypatch.setenv("PATH", str(tmp_path))
    (entry,) = read_library(tmp_path).skipped
    assert entry.item.endswith("b.m4a") and "ffmpeg" in entry.reason


def test_names_beyond_ascii(tmp_path):
    touch(tmp_path / unicodedata.normalize("NFD", "Música") / "日本.wav", tmp_path / "Música" / "ü.wav")
    assert read_library(tmp_path).genres == ("Música",)


def test_a_link_back_up_ends(tmp_path):
    touch(tmp_path / "Jazz" / "a.wav")
    (tmp_path / "Jazz" / "again").symlink_to(tmp_path, target_is_directory=True)
    assert len(read_library(tmp_path).tracks) == 1


def test_only_the_genres_asked_for(tmp_path):
    touch(tmp_path / "Jazz" / "a.wav", tmp_path / "Dub" / "b.wav")
    assert read_library(tmp_path, ["jazz"]).genres == ("Jazz",)
    with pytest.raises(UsageError, match=r"'Polka'.*Dub, Jazz"):
        read_library(tmp_path, ["Polka"])


def test_fma_honours_splits_and_says_what_is_wrong(tmp_path):
    touch(tmp_path / "fma_small" / "000" / "000002.mp3", tmp_path / "fma_small" / "001" / "001000.mp3")
    rows = "2,Ann,training,small,Folk,CC BY,Song\n1000,,validation,small,Folk,,\n3000,,test,small,Folk,,\n"
    rows += "4,,test,small,,,\n5,,test,large,Jazz,,\n"
    touch(tmp_path / "fma_metadata" / "tracks.csv")
    (tmp_path / "fma_metadata" / "tracks.csv").write_text(HEADER + rows)
    library = read_library(tmp_path)
    assert library.kind == "fma"
    assert [(t.path.name, t.split) for t in library.tracks] == [("000002.mp3", "training"), ("001000.mp3", "validation")]
    first = library.tracks[0]
    assert (first.genre, first.artist, first.title, first.licence) == ("Folk", "Ann", "Song", "CC BY")
    assert [s.reason for s in library.skipped] == ["missing file", "no top genre"]  # track 5 is in a subset that is not here
    assert {track.genre for track in library.of("validation")} == set(library.genres)


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_rows_of_the_fma_that_cannot_be_used_are_listed(tmp_path, delimiter):
    touch(
        *(tmp_path / "fma_small" / "000" / f"00000{number}.mp3" for number in range(1, 6)), tmp_path / "fma_metadata" / "tracks.csv"
    )
    rows = "1,None,training,small,80,,1979\nhello\n2,Ann,training,small,Folk\n-7,,training,small,Folk,,\n,,,,Folk,,\n"
    rows += f"{'9' * 5000},,training,small,Folk,,\n3,,training,small,Folk,,a,b\n4,,training,small,Folk,,\n4,,test,small,Jazz,,\n"
    rows += "5,,?,small,80,,\n"
    (tmp_path / "fma_metadata" / "tracks.csv").write_text((HEADER + rows).replace(",", delimiter))
    library = read_library(tmp_path)
    assert [(t.path.stem, t.genre, t.split) for t in library.tracks] == [
        ("000001", "80", "training"),
        ("000004", "Folk", "training"),
        ("000005", "80", None),
    ]
    assert (library.tracks[0].artist, library.tracks[0].title) == ("None", "1979"), "a cell is what is written in it"
    assert [(s.item.split("/")[-1], s.reason.split(":")[0]) for s in library.skipped] == [
        ("tracks.csv line 5", "no track id"),
        ("track 2", "5 cells where the head has 7"),
        ("tracks.csv line 7", "no track id"),
        ("tracks.csv line 8", "no track id"),
        ("tracks.csv line 9", "no track id"),
        ("track 3", "8 cells where the head has 7"),
        ("000004.mp3", "listed twice"),
    ]


@pytest.mark.skipif(not FMA_TINY.is_dir(), reason="needs ../shared/fma_tiny beside the checkout")
def test_fma_tiny():
    library = read_library(FMA_TINY)
    assert library.genres == ("Classical", "Folk", "Jazz")
    assert len(library.of("training")) == 10 and len(library.of("validation")) == 2 and len(library.of("test")) == 3
    assert [s.reason for s in library.skipped] == ["missing file", "no top genre"]
    assert library.tracks[0].artist == "Karissa Hobbs"


def test_csv(tmp_path):
    touch(
        tmp_path / "audio" / "a.wav", tmp_path / "audio" / "b.wav", tmp_path / "audio" / "c.wav", tmp_path / "audio" / "notes.txt"
    )
    table = tmp_path / "list.csv"
    table.write_text(
        "\ufeffpath,Genre,split,licence\naudio/a.wav, Jazz ,train,CC0\naudio/b.wav,Dub,,\naudio/gone.wav,Dub,,\naudio/c.wav,,,\n"
        "audio/c.wav,Dub,sometimes,\naudio/notes.txt,Dub,,\n",
        encoding="utf-8",
    )
    library = read_library(table)
    assert [(t.path.name, t.genre, t.split, t.licence) for t in library.tracks] == [
        ("a.wav", "Jazz", "training", "CC0"),
        ("b.wav", "Dub", None, ""),
    ]
    assert [s.reason.split(":")[0] for s in library.skipped] == [
        "missing file",
        "no genre",
        "unknown split 'sometimes'",
        "not an audio format that is read here (.txt)",
    ]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda p: p / "gone", "no such folder"),
        (lambda p: p, "no audio"),
        (lambda p: (p / "x.csv", (p / "x.csv").write_text("a,b\n1,2\n"))[0], "path and genre"),
        (lambda p: (p / "x.csv", (p / "x.csv").write_bytes(b"path,genre\n\xff\xfe\x00,b\n"))[0], "UTF-8|no audio"),
        (lambda p: (p / "x.wav", (p / "x.wav").write_bytes(bytes(range(256))))[0], "not a CSV"),
        (lambda p: (p, touch(p / "loose.wav"))[0], "no genre"),
        (lambda p: (p, touch(p / "fma_metadata" / "tracks.csv"))[0], "fma_small"),
        (lambda p: (p, touch(p / "fma_metadata" / "tracks.csv", p / "fma_small" / "x"))[0], "FMA's table"),
    ],
)
def test_nothing_to_read_is_one_line(tmp_path, make, says):
    with pytest.raises(NoizestreamError, match=says) as caught:
        read_library(make(tmp_path))
    assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_only_looks_like_a_file_is_listed_and_never_opened(tmp_path):
    touch(tmp_path / "Jazz" / "a.wav")
    os.mkfifo(tmp_path / "Jazz" / "pipe.wav")
    (tmp_path / "Jazz" / "null.wav").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "list.csv")
    (tmp_path / "music.csv").write_text("path,genre\nJazz/a.wav,Jazz\nJazz/pipe.wav,Jazz\n")
    library = read_library(tmp_path / "Jazz" / "..")
    assert [track.path.name for track in library.tracks] == ["a.wav"]
    assert {Path(s.item).name for s in library.skipped} == {"pipe.wav", "null.wav"}
    assert all("is a pipe, a socket or a device" in s.reason for s in library.skipped)
    listed = read_library(tmp_path / "music.csv")
    assert [(Path(s.item).name, "is a pipe" in s.reason) for s in listed.skipped] == [("pipe.wav", True)]
    with pytest.raises(NoizestreamError, match=r"list\.csv: is a pipe"):
        read_library(tmp_path / "list.csv")
