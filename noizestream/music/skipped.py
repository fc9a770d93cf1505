"""What a library could not use, or not as it is, and why: the record, the exception that carries it, the one table for the user."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from noizestream.system.names import one_line

ROWS = 30
"""The table lists at most this many files; a library with more faults gets the first ones and a count per kind of reason."""


class Skip(Exception):
    """One file that cannot be used. `str(error)` is the reason, in a few words; the rest of the library goes on."""


@dataclass(frozen=True)
class Skipped:
    """`item` is a path or, where there is no file, the id in its data set; `reason` says what is wrong with it.

    With `used` it is used all the same, and `reason` says how far, or what was done to it.
    """

    item: str
    reason: str
    used: bool = False


def skipped_table(skipped: Sequence[Skipped], console=None) -> None:
    """Print what was skipped as one table on standard error (or on a rich `console`). Prints nothing when nothing was skipped."""
    if not skipped:
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    folder = _common_folder([entry.item for entry in skipped])
    used = sum(entry.used for entry in skipped)
    counts = [f"skipped: {len(skipped) - used}"] * (used < len(skipped)) + [f"used with a fault: {used}"] * (used > 0)
    table = Table(title=Text(", ".join(counts) + (f", in {one_line(folder)}" if folder else "")), title_justify="left")
    table.add_column("file", overflow="fold")
    table.add_column("reason", overflow="fold")
    for entry in skipped[:ROWS]:
        # Text: a name with [brackets] is no markup
        table.add_row(Text(one_line(entry.item.removeprefix(folder))), Text(_reason(entry)))
    if len(skipped) > ROWS:
        # What follows the colon differs from file to file.
        kinds = Counter(_reason(replace(entry, reason=entry.reason.split(":")[0])) for entry in skipped[ROWS:])
        for reason, count in kinds.most_common():
            table.add_row(f"... and {count} more", Text(reason))
    (console or Console(stderr=True)).print(table)


def _reason(entry: Skipped) -> str:
    return one_line(f"used: {entry.reason}" if entry.used else entry.reason)


def _common_folder(items: Sequence[str]) -> str:
    """The folder that all paths among `items` share, with a slash at its end; "" if they share none."""
    paths = [os.path.dirname(item) for item in items if os.path.isabs(item)]
    if not paths:
        return ""
    folder = os.path.commonpath(paths)
    return "" if folder == os.path.dirname(folder) else folder + os.sep
