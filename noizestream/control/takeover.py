"""How a knob takes over a parameter that is not where the knob is. Pure: positions (0 to 127, finer ones between them) in and out.

A knob stands where it was left, while its parameter was moved by another control, another page or a person at the keyboard.
"""

from typing import Literal, Protocol

Takeover = Literal["pickup", "jump", "scaled"]
"""What happens when a knob moves whose parameter is elsewhere:

    pickup  nothing, until the knob comes to where the parameter is, or passes it
    jump    the parameter goes to the knob at once
    scaled  the parameter moves the way the knob does, so that both reach the end together
"""

TOP = 127.0
STEP = 1.0
"""One step of a controller of 7 bits."""


class Follower(Protocol):
    """One way to take over, of one knob."""

    def move(self, at: float, now: float, own: bool) -> float | None:
        """The knob comes to `at` while its parameter is at `now`; return where that goes, None: it stays.

        `own` says that this knob put it there with its last move, and nothing else has moved it since.
        """


class Jump:
    """Goes to the knob at once."""

    def move(self, at: float, now: float, own: bool) -> float | None:
        """Return the place of the knob."""
        return at


class Pickup:
    """Waits until the knob comes to its parameter.

    The parameter never moves further at once than the knob itself did between two messages, or one step of 127.
    """

    def __init__(self) -> None:
        self._before: float | None = None

    def move(self, at: float, now: float, own: bool) -> float | None:
        """Return the place of the knob where the parameter is its own, is within a step, or was passed by this move; else None."""
        before, self._before = self._before, at
        passed = before is not None and min(before, at) <= now <= max(before, at)
        return at if own or passed or abs(at - now) <= STEP else None


class Scaled:
    """Moves the way the knob does, by the share that is left to the end that the knob moves to.

    So both ends are reached, and once the parameter is where the knob is, it stays with it. The first message only says where
    the knob is.
    """

    def __init__(self) -> None:
        self._before: float | None = None
        self._place = 0.0

    def move(self, at: float, now: float, own: bool) -> float | None:
        """Return the place that is as far on the way to its end as the knob is now; None for the first move of a knob elsewhere."""
        before, self._before = self._before, at
        start = self._place if own else now
        if at == start:
            self._place = at
        elif before is None:
            return None
        elif at in (0.0, TOP):
            self._place = at
        elif at > before:
            self._place = start + (at - before) * (TOP - start) / (TOP - before)
        else:
            self._place = start - (before - at) * start / before if before > 0 else start
        self._place = min(max(self._place, 0.0), TOP)  # rounding
        return self._place


FOLLOWERS: dict[Takeover, type[Jump] | type[Pickup] | type[Scaled]] = {"pickup": Pickup, "jump": Jump, "scaled": Scaled}
