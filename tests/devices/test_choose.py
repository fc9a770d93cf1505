"""`-d` and `-m`: a number or a part of a name."""

from dataclasses import dataclass

import pytest

from noizestream.devices.choose import choose
from noizestream.errors import NoizestreamError


@dataclass(frozen=True)
class Thing:
    index: int
    name: str
    is_default: bool = False


THINGS = [Thing(0, "HDA Intel: ALC"), Thing(4, "USB Audio"), Thing(5, "USB Audio 2", True), Thing(7, "nanoKONTROL 4")]


@pytest.mark.parametrize(
    ("asked", "index"),
    [("0", 0), ("4", 4), ("nano", 7), ("NANOkontrol", 7), ("intel", 0), ("usb", 5), ("usb audio", 4), (" hda ", 0)],
)
def test_number_or_part_of_the_name_in_any_case(asked, index):
    assert choose(THINGS, asked, "-d", "audio device").index == index


@pytest.mark.parametrize("asked", ["9", "piano", "", "-1", "  "])
def test_what_does_not_fit_is_one_line_that_names_the_knob(asked):
    with pytest.raises(NoizestreamError) as error:
        choose(THINGS, asked, "-d", "audio device")
    assert "-d" in str(error.value) and "noizestream devices" in str(error.value) and "\n" not in str(error.value)
