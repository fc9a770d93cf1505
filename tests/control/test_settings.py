"""Controls as a person writes and reads them."""

from dataclasses import replace

import pytest

from noizestream.control.settings import changed, parse_settings
from noizestream.errors import UsageError
from noizestream.modelfile.metadata import Metadata
from tests.foreign_models import LAYERED, METADATA


@pytest.fixture
def layered() -> Metadata:
    return Metadata(**{key: value for key, value in LAYERED.items() if key != "tempos"})


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("drums_level=-12.5", "drums_level", -12.5),
        ("chord=Am", "chord", 21),
        ("chord=-", "chord", -1),
        ("chord=3", "chord", 3),
        ("bass_genre=free", "bass_genre", 2),
        ("bass_genre=-1", "bass_genre", -1),
        ("top_mute=on", "top_mute", 1),
        (" harmony_hold = 0 ", "harmony_hold", 0),
        ("harmony=0.25", "harmony", 0.25),
        ("tempo=40", "tempo", 40),
        ("beat=7.5", "beat", 7.5),
    ],
)
def test_each_kind_of_value(layered, text, name, value):
    assert parse_settings(layered, [text]) == {name: value}


def test_a_genre_that_is_called_by_a_number_and_one_of_many(layered):
    many = replace(layered, genres=["90", "80", "1", *(f"G{number}" for number in range(158))])
    rows = [row | {"max": 160.0} if row["name"] == "bass_genre" else row for row in many.controls]
    many = replace(many, controls=rows)
    for text, value in (("80", 1), ("1", 2), ("0", 0), ("G157", 160), ("160", 160)):
        assert parse_settings(many, [f"bass_genre={text}"]) == {"bass_genre": value}
    with pytest.raises(UsageError, match="-1 to 160"):
        parse_settings(many, ["bass_genre=161"])


def test_a_control_of_the_models_own(layered):
    foreign = Metadata(**METADATA)
    assert parse_settings(foreign, ["sparkle=-1"], {"temperature": 0.5, "tempo": None}) == {"sparkle": -1, "temperature": 0.5}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("drums_leve=0", "drums_level, drums_mute"),
        ("volume=0", "no control 'volume': it acts on the output, live only (MIDI CC 7)"),
        ("panic=1", "no control 'panic': it acts on the session"),
        ("drums_level", "NAME=VALUE"),
        ("=3", "NAME=VALUE"),
        ("chord=", "NAME=VALUE"),
        ("drums_level=7", "-60 to 6 dB"),
        ("drums_level=nan", "drums_level"),
        ("drums_level=loud", "not a number"),
        ("tempo=20", "0 or 40 to 220 BPM"),
        ("chord=24", "-1 to 23"),
        ("chord=2.5", "whole"),
        ("chord=H", "'H'"),
        ("top_genre=3", "-1 to 2"),
        ("top_genre=Polka", "Jazz, Folk, Free Jazz"),
        ("top_mute=0.5", "whole"),
        ("top_mute=yes", "on or off"),
        ("top_new=inf", "0 to 127"),
    ],
)
def test_what_is_wrong_is_one_line(layered, text, says):
    with pytest.raises(UsageError) as raised:
        parse_settings(layered, [text])
    assert says in str(raised.value) and "\n" not in str(raised.value)


def test_nothing_is_set_twice(layered):
    with pytest.raises(UsageError, match="twice"):
        parse_settings(layered, ["harmony=0", "harmony=1"])
    with pytest.raises(UsageError, match="twice"):
        parse_settings(layered, ["tempo=100"], {"tempo": 90.0})


def test_what_is_changed_is_shown(layered):
    values = dict(zip((row["name"] for row in layered.controls), layered.default_controls(), strict=True))
    values |= {"volume": -6.0, "mute": 1.0, "balance": 0.0}
    assert changed(layered, values) == []
    for name, value in (
        ("temperature", 2),
        ("tempo", 99),
        ("chord", 21),
        ("drums_mute", 1),
        ("drums_new", 5),
        ("bass_genre", 1),
        ("top_level", -6),
        ("balance", -0.4921875),
    ):
        values[name] = value
    assert changed(layered, values) == ["chord Am", "drums_mute", "bass_genre Folk", "top_level -6 dB", "balance -0.49"]
