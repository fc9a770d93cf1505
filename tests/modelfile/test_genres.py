"""Names of genres: shown on one line, the same whatever their case and form, each with a file name of its own."""

import unicodedata

import pytest

from noizestream.modelfile.genres import file_names, find, key, parts, plain, weighted

GENRES = ["Folk, World", "Folk", "Jazz", "2:3", "80"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("  Drum  &\tBass\n", "Drum & Bass"),
        (unicodedata.normalize("NFD", "Música"), "Música"),
        ("\x1b[31mRed\u2028Rock", "[31mRed Rock"),
        ("fran\udce7aise", "fran\ufffdaise"),
        (" \x00\n", ""),
    ],
)
def test_a_name_is_shown_on_one_line(name, shown):
    assert plain(name) == shown
    assert plain(shown) == shown


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Jazz", " jAZZ "),
        ("Straße", "STRASSE"),
        ("Mu\u0301sica", "MÚSICA"),
        ("\uff2aazz", "Jazz"),
        ("Acid\u200bJazz", "AcidJazz"),
        ("a  b", "a b"),
    ],
)
def test_names_that_mean_the_same(one, other):
    assert key(one) == key(other)
    assert find(one, ["x", other]) == 1


def test_signs_tell_names_apart_and_the_very_name_goes_first():
    assert len({key(name) for name in ("R&B", "R B", "R-B", "RB")}) == 4
    assert find("jazz", ["JAZZ", "jazz"]) == 1 and find("Dub", ["Jazz"]) is None


def test_commas_and_colons_that_belong_to_a_name():
    assert parts("folk, world:0.5, Folk ,2:3,,", GENRES) == ["folk, world:0.5", "Folk", "2:3"]
    assert parts(" , ", GENRES) == []
    assert [weighted(text, GENRES) for text in ("2:3", "2:3:4", "80:0.5", "Jazz:x")] == [
        ("2:3", 1.0),
        ("2:3", 4.0),
        ("80", 0.5),
        ("Jazz:x", 1.0),
    ]


@pytest.mark.parametrize(("genre", "name"), [("Drum & Bass", "Drum---Bass"), ("Höch", "Höch"), ("../x", "x"), ("?", "genre")])
def test_a_genre_as_a_file_name(genre, name):
    assert file_names([genre]) == {genre: name}


def test_no_two_genres_share_a_file_name(tmp_path):
    genres = ["R&B", "R B", "R-B", "r.b", "R-B-2", "?", "!", "é" * 300, "é" * 301, "..", "a\nb", *map(str, range(150))]
    names = file_names(genres)
    assert list(names) == genres and names["R-B"] == "R-B" and names["R-B-2"] == "R-B-2"
    assert len({key(name) for name in names.values()}) == len(genres)
    for name in names.values():
        (tmp_path / f".{name}-held_out.png.4194304.part").touch()
    assert len(list(tmp_path.iterdir())) == len(genres)
