"""What is really there before what links lead to, and every file once."""

import os

import pytest

from noizestream.errors import NoizestreamError, UsageError
from noizestream.music.library import read_library
from tests.music.test_library import touch


def skipped(library, root) -> dict[str, str]:
    return {os.path.relpath(entry.item, root): entry.reason.split(":")[0] for entry in library.skipped}


def test_a_link_to_a_genre_does_not_swallow_it(tmp_path):
    touch(tmp_path / "music" / "Jazz" / "live" / "a.wav", tmp_path / "music" / "Jazz" / "b.wav", tmp_path / "elsewhere" / "c.wav")
    for name in ("A", "Z"):
        (tmp_path / "music" / name).symlink_to("Jazz", target_is_directory=True)
    (tmp_path / "music" / "Live").symlink_to("Jazz/live", target_is_directory=True)
    (tmp_path / "music" / "Dub").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    library = read_library(tmp_path / "music")
    tracks = {str(track.path.relative_to(tmp_path / "music")): track.genre for track in library.tracks}
    assert tracks == {"Jazz/b.wav": "Jazz", "Jazz/live/a.wav": "Jazz", "Dub/c.wav": "Dub"}
    assert skipped(library, tmp_path / "music") == dict.fromkeys(("A", "Live", "Z"), "read already")


def test_links_in_a_circle_and_out_of_the_library_end(tmp_path):
    touch(tmp_path / "music" / "Jazz" / "a.wav", tmp_path / "private.wav", tmp_path / "1" / "x" / "b.wav")
    for link, target in (("Jazz/up", ".."), ("Jazz/out", "../.."), ("Jazz/self", "self"), ("other", "../1")):
        (tmp_path / "music" / link).symlink_to(target, target_is_directory=True)
    (tmp_path / "1" / "x" / "round").symlink_to("..", target_is_directory=True)
    library = read_library(tmp_path / "music")
    assert [track.path.name for track in library.tracks] == ["a.wav", "b.wav"]
    up = "a link that leads back up"
    found = skipped(library, tmp_path / "music")
    assert found.pop("Jazz/self") == "cannot be read (Too many levels of symbolic links)"
    assert found == {"Jazz/up": up, "Jazz/out": up, "other/x/round": "read already"}


def test_a_file_counts_once_and_where_it_really_is(tmp_path):
    touch(tmp_path / "Jazz" / "a.wav", tmp_path / "Jazz" / "copy.wav")
    (tmp_path / "Best").mkdir()
    (tmp_path / "Best" / "a.wav").symlink_to("../Jazz/a.wav")
    os.link(tmp_path / "Jazz" / "a.wav", tmp_path / "Jazz" / "hard.wav")
    library = read_library(tmp_path)
    assert [track.path.name for track in library.tracks] == ["a.wav", "copy.wav"] and library.genres == ("Jazz",)
    assert {entry.item: entry.reason for entry in library.skipped} == {
        str(tmp_path / "Jazz" / "hard.wav"): f"listed twice: it is the file {tmp_path / 'Jazz' / 'a.wav'}",
        str(tmp_path / "Best" / "a.wav"): f"listed twice: it is the file {tmp_path / 'Jazz' / 'a.wav'}, it is of genre Jazz",
    }


def test_what_is_no_file_and_a_genre_without_a_name_are_listed(tmp_path):
    touch(tmp_path / "Jazz" / "a.wav", tmp_path / " \n" / "b.wav", tmp_path / "..." / "hidden.wav")
    os.mkfifo(tmp_path / "Jazz" / "fifo.wav")
    (tmp_path / "Jazz" / "gone.wav").symlink_to("nowhere.wav")
    (tmp_path / "Unplugged").symlink_to("/nowhere", target_is_directory=True)
    library = read_library(tmp_path)
    assert [track.path.name for track in library.tracks] == ["a.wav"]
    assert skipped(library, tmp_path) == {
        "Jazz/fifo.wav": "is a pipe, a socket or a device, not a file",
        "Jazz/gone.wav": "a link to nothing",
        "Unplugged": "a link to nothing",
        " \n/b.wav": "no genre",
    }


def test_genres_that_differ_in_case_form_or_white_space_are_one_and_it_is_said(tmp_path):
    for number, genre in enumerate(("Jazz", "jazz", "jazz ", "JAZZ", "Dub", "Mu\u0301sica", "Música", "R&B", "R B")):
        touch(tmp_path / genre / f"{number}.wav")
    touch(tmp_path / "jazz" / "more.wav")
    library = read_library(tmp_path)
    assert library.genres == ("Dub", "Música", "R B", "R&B", "jazz"), "by its commonest spelling"
    assert sum(track.genre == "jazz" for track in library.tracks) == 5
    assert library.notes == ("JAZZ, Jazz: the same genre as jazz", "Música: one genre, spelled in 2 ways that look alike")
    assert read_library(tmp_path, ["JAZZ,mu\u0301sica"]).genres == ("Música", "jazz")


def test_a_genre_with_a_comma_can_be_asked_for(tmp_path):
    touch(*(tmp_path / genre / "a.wav" for genre in ("Folk", "Folk, World", "80", "x" * 255)))
    assert read_library(tmp_path, ["folk, world,80"]).genres == ("80", "Folk, World")
    assert read_library(tmp_path, ["Folk, World", "Folk"]).genres == ("Folk", "Folk, World")
    for asked in (["World"], [","], []):
        with pytest.raises(UsageError, match="Folk, World"):
            read_library(tmp_path, asked)


def test_a_folder_that_cannot_be_read_is_listed(tmp_path, monkeypatch):
    touch(tmp_path / "Jazz" / "a.wav", tmp_path / "Locked" / "b.wav")
    scan = os.scandir

    def refuse(folder):
        if str(folder).endswith("Locked"):
            raise PermissionError(13, "Permission denied", str(folder))
        return scan(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    assert skipped(read_library(tmp_path), tmp_path) == {"Locked": "a folder that cannot be read (Permission denied)"}


@pytest.mark.parametrize("name", ["~nobody-of-this-name/x", "x" * 5000, "a\0b"])
def test_a_path_that_cannot_be_is_one_line(name):
    with pytest.raises(NoizestreamError, match=r"no such folder|cannot be read"):
        read_library(name)
