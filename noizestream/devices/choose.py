"""`-d` and `-m`: a number, or a part of a name in any case."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from noizestream.errors import NoizestreamError


class Named(Protocol):
    """What can be chosen from a list; `is_default` marks the one to take when nothing is asked for."""

    @property
    def index(self) -> int:
        """The number in the list that `noizestream devices` shows."""

    @property
    def name(self) -> str:
        """The name that the system gives it; a part of it is enough to choose by."""

    @property
    def is_default(self) -> bool:
        """Whether it is taken when nothing is asked for."""


Item = TypeVar("Item", bound=Named)


def choose(items: Sequence[Item], asked: str, option: str, kind: str) -> Item:
    """Return the item whose number or name is `asked`; of several names that fit, the same name, else the default, else the first.

    NoizestreamError in one line when nothing fits; it ends with how to see what is there.
    """
    wanted = asked.strip().lower()
    if wanted.isdigit():
        fits = [item for item in items if item.index == int(wanted)]
    else:
        fits = [item for item in items if wanted and wanted in item.name.lower()]
    if not fits:
        raise NoizestreamError(f"{option} {asked}: no such {kind}; `noizestream devices` lists them")
    return min(fits, key=lambda item: (item.name.lower() != wanted, not item.is_default))
