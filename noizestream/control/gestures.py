"""What a control of a controller does to its parameter, by its kind. Pure: positions in (0 to 127, and between them), values out.

A gesture is told where its control is and at which value its parameter is now, None where nothing has such a parameter; it returns
the value to set, within the range of its row, None for none.
"""

from typing import Literal, Protocol

from noizestream.control.controllers import Coding, clicks
from noizestream.control.parameter import CHOSEN, Parameter
from noizestream.control.takeover import FOLLOWERS, TOP, Takeover

GestureKind = Literal["absolute", "relative", "centred spring", "one-sided spring", "trigger", "toggle", "choice", "cycle"]
"""What a control is, and what it does:

    absolute          a knob or a fader: the parameter is where it is, once it has taken over
    relative          an endless knob: the parameter moves by its clicks
    centred spring    a joystick, pitch bend: away from the middle the parameter is moved, let go it is where it was
    one-sided spring  a wheel with a spring, pressure, a pad that is held: the same from 0 upwards
    trigger           a button: pulls what is to be pulled
    toggle            a button that is pressed once for on and once for off
    choice            a knob that chooses one of `steps` places, in equal parts
    cycle             a pad: the next one at every press, and round
"""

MIDDLE = 64.0


class Gesture(Protocol):
    """One control, with what it has to remember."""

    def move(self, at: float, current: float | None) -> float | None:
        """The control comes to `at` while its parameter is at `current`; return the value to set, None for none."""


def mirrored(row: Parameter, at: float) -> float:
    """Return the place of a control that is built in the other way round; the middle stays, and so do equal parts."""
    if row.kind in CHOSEN:
        return TOP - at
    return TOP - at * (TOP - MIDDLE) / MIDDLE if at <= MIDDLE else (TOP - at) * MIDDLE / (TOP - MIDDLE)


class Absolute:
    """A knob, a fader, or with `steps` a knob that chooses one of so many places."""

    def __init__(self, row: Parameter, takeover: Takeover, reverse: bool = False, steps: int | None = None):
        self._row, self._reverse, self._choices = row, reverse, steps
        self._follower = FOLLOWERS[takeover]()
        self._last: float | None = None

    def move(self, at: float, current: float | None) -> float | None:
        """Return what the way of taking over makes of it; where nothing has the parameter, what the knob alone says."""
        if self._choices is not None:
            at = share(int(at * self._choices // 128), self._choices)
        if self._reverse:
            at = mirrored(self._row, at)
        asked = self._row.from_midi(at)
        now = at if current is None or asked == current else self._row.to_midi(current)
        target = self._follower.move(at, now, current is not None and current == self._last)
        self._last = None if target is None else self._row.from_midi(target)
        return self._last


class Relative:
    """An endless knob: a click is one of 127 steps, or the next of what is chosen."""

    def __init__(self, row: Parameter, coding: Coding, reverse: bool = False):
        self._row, self._coding, self._sign = row, coding, -1 if reverse else 1
        self._place = 0.0
        self._last: float | None = None

    def move(self, at: float, current: float | None) -> float | None:
        """Return the value so many clicks further, at most the end of the range."""
        row, step = self._row, self._sign * clicks(self._coding, int(at))
        start = row.default if current is None else current
        if not step:
            return None
        if row.kind in CHOSEN:
            return min(max(round(start) + step, row.minimum), row.maximum)
        if current is None or current != self._last:
            self._place = row.to_midi(start)
        self._place = min(max(self._place + step, 0.0), TOP)
        self._last = row.from_midi(self._place)
        return self._last


class Spring:
    """A control that goes back by itself, to the middle or to 0: let go, its parameter is where it was.

    Where something else moves the parameter meanwhile, that is where it stays.
    """

    def __init__(self, row: Parameter, centred: bool, reverse: bool = False):
        self._row, self._centred, self._sign = row, centred, -1 if reverse else 1
        self._base = self._last = row.default
        self._away = False

    def move(self, at: float, current: float | None) -> float | None:
        """Return the value as far from where the parameter was towards its end as the control is from its rest."""
        row, out = self._row, self._out(at)
        start = row.default if current is None else current
        moved = current is not None and current != self._last
        if not self._away or moved:
            self._base = min(max(start, row.minimum), row.maximum)
        if out == 0:
            back, self._away = self._away and not moved, False
            return self._base if back else None
        base, self._away = row.to_midi(self._base), True
        self._last = row.from_midi(base + out * (TOP - base if out > 0 else base))
        return self._last

    def _out(self, at: float) -> float:
        """How far it is from its rest, -1 to 1; a step beside the middle is still the middle."""
        if not self._centred:
            return self._sign * at / TOP
        away = at - MIDDLE
        return 0.0 if abs(away) <= 1 else self._sign * away / (MIDDLE if away < 0 else TOP - MIDDLE)


class Trigger:
    """A button that pulls what is to be pulled."""

    def __init__(self, row: Parameter):
        self._row = row

    def move(self, at: float, current: float | None) -> float | None:
        """Return the most of the row for a press; None for a button that is let go."""
        return self._row.maximum if at > 0 else None


class Cycle:
    """A pad that goes to the next of `steps` places at every press, or of the whole numbers of its row, and round."""

    def __init__(self, row: Parameter, reverse: bool = False, steps: int | None = None):
        self._row, self._step = row, -1 if reverse else 1
        if steps is None:
            self._values = [row.minimum + number for number in range(round(row.maximum - row.minimum) + 1)]
        else:
            self._values = [row.from_midi(share(number, steps)) for number in range(steps)]

    def move(self, at: float, current: float | None) -> float | None:
        """Return the next value for a press; None for a pad that is let go."""
        if at <= 0:
            return None
        start = self._row.default if current is None else current
        number = min(range(len(self._values)), key=lambda each: abs(self._values[each] - start))
        return self._values[(number + self._step) % len(self._values)]


def share(number: int, steps: int) -> float:
    """Return the place of `number` (from 0) of `steps` places over the whole range, both ends among them."""
    part = number / (steps - 1)
    return 2 * MIDDLE * part if part <= 0.5 else MIDDLE + 2 * (TOP - MIDDLE) * (part - 0.5)
