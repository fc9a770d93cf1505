"""What the values of controllers mean: fine ones in two halves, and the clicks of an endless knob. Pure.

A place is where a control stands, 0 to 127 as a controller of 7 bits says it; finer ones have places between them.
"""

from collections.abc import Collection
from typing import Literal

from noizestream.control.midi_message import MidiMessage

FINE_HALF = 32
"""Controller 0 to 31 is the coarse half of a pair, the one so many further on is its fine half."""

Coding = Literal["two's complement", "offset", "sign bit"]
"""How an endless knob says which way it goes: 1 click up is 1, 65, 1, and 1 click down is 127, 63, 65 (relative 1, 2, 3)."""


def place(value: int) -> float:
    """Return the place, 0 to 127, of a `value` of 14 bits, 0 to 16383 (a fine controller, pitch bend); 8192 is 64."""
    return value / 128 if value <= 8192 else 64 + (value - 8192) * 63 / 8191


def clicks(coding: Coding, value: int) -> int:
    """Return how many clicks up `value` (0 to 127) means in `coding`, -64 to 63; less than 0 for down."""
    if coding == "offset":
        return value - 64
    if coding == "sign bit":
        return 64 - value if value >= 64 else value
    return value - 128 if value >= 64 else value


class FinePairs:
    """Joins the halves of fine controllers, of each channel for itself, to places.

    Every half makes a place with the last one of the other, so that it is right in the end in whatever order they come. As long
    as no fine half has come the coarse one is a controller of 7 bits.
    """

    def __init__(self, controllers: Collection[int]):
        """`controllers` are the coarse halves, 0 to 31, of the pairs to be joined; of no others is anything made."""
        self._wanted = frozenset(controllers)
        self._coarse: dict[tuple[int | None, int], int] = {}
        self._fine: dict[tuple[int | None, int], int] = {}

    def join(self, message: MidiMessage) -> tuple[int, float] | None:
        """Return the controller, by its coarse half, and its place once `message` has come; None if it is no half of a pair.

        A fine half that comes before any coarse one makes none yet.
        """
        controller = message.number % FINE_HALF
        if message.kind != "control_change" or message.number >= 2 * FINE_HALF or controller not in self._wanted:
            return None
        key = message.channel, controller
        (self._coarse if message.number < FINE_HALF else self._fine)[key] = message.value
        if key not in self._coarse:
            return None
        coarse, fine = self._coarse[key], self._fine.get(key)
        return controller, float(coarse) if fine is None else place(128 * coarse + fine)
