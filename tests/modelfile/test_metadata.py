"""Genres by name and mix, controls by range."""

import json
from dataclasses import replace

import pytest

from noizestream.errors import NoizestreamError, UsageError
from noizestream.modelfile.metadata import Metadata
from tests.foreign_models import METADATA

METADATA_TEXT = json.dumps(METADATA)


@pytest.fixture
def metadata() -> Metadata:
    return Metadata.from_json(METADATA_TEXT)


@pytest.mark.parametrize(
    ("asked", "weights"),
    [
        (None, [1, 0, 0]),
        ("Jazz", [1, 0, 0]),  # a whole name wins over a part of another
        ("folk", [0, 1, 0]),
        ("free", [0, 0, 1]),
        ("Jazz:0.5,Folk:0.5", [0.5, 0.5, 0]),
        ("jazz:1, folk:3", [0.25, 0.75, 0]),
        ("jazz,folk", [0.5, 0.5, 0]),
        ("jazz:0,folk:2", [0, 1, 0]),
    ],
)
def test_genre_weights(metadata, asked, weights):
    assert metadata.genre_weights(asked) == pytest.approx(weights)


@pytest.mark.parametrize("asked", ["Polka", "", "a", "Jazz:0", "Jazz:-1,Folk:2", "Jazz:nan", "Jazz:x", "Jazz:0.5,Polka:0.5"])
def test_unknown_or_impossible_genre(metadata, asked):
    with pytest.raises(UsageError) as raised:
        metadata.genre_weights(asked)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("asked", "weights"),
    [
        ("folk, world", [1, 0, 0, 0]),
        ("Folk, World:1,jazz:3", [0.25, 0.75, 0, 0]),
        ("80:1, Folk, World", [0.5, 0, 0, 0.5]),
        ("2:3", [0, 0, 1, 0]),
        ("2:3,Jazz", [0, 0.5, 0.5, 0]),
        ("2:3:3,STRASSE", None),
        (" ja\u0301zz ", None),
    ],
)
def test_genres_that_hold_commas_colons_and_numbers(metadata, asked, weights):
    odd = replace(metadata, genres=["Folk, World", "Jazz", "2:3", "80"])
    if weights is None:
        with pytest.raises(UsageError, match="Folk, World"):
            odd.genre_weights(asked)
    else:
        assert odd.genre_weights(asked) == pytest.approx(weights)


def test_a_genre_is_found_whatever_its_case_and_form(metadata):
    odd = replace(metadata, genres=["jazz", "JAZZ", "Mu\u0301sica", "Straße"])
    assert [odd.genre_index(name) for name in ("JAZZ", "jazz", "Jazz", "música", "STRASSE", "mús")] == [1, 0, 0, 2, 3, 2]


def test_an_unknown_genre_lists_the_genres(metadata):
    with pytest.raises(UsageError, match=r"'Polka'.*Jazz, Folk, Free Jazz"):
        metadata.genre_weights("Polka")


def test_controls(metadata):
    assert metadata.default_controls() == [1.0, 0.5]
    assert metadata.check_control("sparkle", -1) == -1.0
    for value in (-1.01, 1.01, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="-1 to 1 dB"):
            metadata.check_control("sparkle", value)
    with pytest.raises(UsageError, match="temperature, sparkle"):
        metadata.check_control("sprakle", 0)


def test_the_tempo_of_a_mix_lies_between_those_of_its_genres(metadata):
    assert metadata.own_tempo([1, 0, 0]) is None, "a file need not say it"
    said = replace(metadata, extra={"tempos": {"Jazz": 160.0, "Folk": 90.0, "Free Jazz": 0}})
    assert said.own_tempo([1, 0, 0]) == pytest.approx(160) and said.own_tempo([0, 2, 0]) == pytest.approx(90)
    assert said.own_tempo([0.5, 0.5, 0]) == pytest.approx(120)
    assert said.own_tempo([0.5, 0, 0.5]) is None
    for damaged in (None, [120], "fast", {"Jazz": "fast"}, {"Jazz": None}, {"Jazz": float("nan")}):
        assert replace(metadata, extra={"tempos": damaged}).own_tempo([1, 0, 0]) is None


@pytest.mark.parametrize(
    "change",
    [
        {"channels": 0},
        {"block_frames": 1.5},
        {"block_frames": True},
        {"noise_size": -1},
        {"genres": []},
        {"genres": ["a", "A"]},
        {"genres": "Jazz"},
        {"controls": []},
        {"controls": [{"name": "sparkle", "min": 0, "max": 1, "default": 0, "unit": ""}]},
        {"controls": [{"name": "temperature", "min": 0, "max": 1, "default": 2, "unit": ""}]},
        {"controls": [{"name": "temperature"}]},
        {"controls": ["temperature"]},
        {"name": ""},
    ],
)
def test_impossible_metadata_are_refused_in_one_line(change):
    with pytest.raises(NoizestreamError) as raised:
        Metadata.from_json(json.dumps(METADATA | change), "model.ts")
    assert str(raised.value).startswith("model.ts: ") and "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"text"', b"\xff\xfe"])
def test_text_that_is_no_metadata(text):
    with pytest.raises(NoizestreamError):
        Metadata.from_json(text)
