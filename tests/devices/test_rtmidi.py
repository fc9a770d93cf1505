"""MIDI ports by name; listening, losing and finding them again is in tests/live/test_faults.py."""

import pytest

from noizestream.devices.rtmidi import same_port


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("nanoKONTROL:nanoKONTROL MIDI 1 20:0", "nanoKONTROL:nanoKONTROL MIDI 1 24:0", True),
        ("nanoKONTROL:nanoKONTROL MIDI 1 20:0", "nanoKONTROL:nanoKONTROL MIDI 2 20:1", False),
        ("instrument:keys", "instrument:keys", True),
        ("instrument:keys", "instrument:pads", False),
    ],
)
def test_an_instrument_put_back_has_the_same_name_and_other_numbers(one, other, same):
    assert same_port(one, other) is same
