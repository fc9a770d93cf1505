"""The table of controls that README.md and docs/midi.md show, from the rows.

`python -m noizestream.control.reference README.md docs/midi.md` writes it into them, between the lines BEGIN and END.
"""

import sys
from pathlib import Path

from noizestream.control.parameter import Parameter
from noizestream.control.parameters import GENRE_FIRST_NOTE, PARAMETERS

BEGIN = "<!-- controls, written by: python -m noizestream.control.reference README.md docs/midi.md -->"
END = "<!-- end of controls -->"

HEAD = ("control", "MIDI", "range", "acts on", "does")
PADS = f"program change 0, 1, ...; notes {GENRE_FIRST_NOTE}, {GENRE_FIRST_NOTE + 1}, ... (pads)"
GENRE = ("genre", PADS, "the model's genres", "model", "what is played next")

CALLED = {0: "bank select", 1: "mod wheel"}
"""What MIDI calls some controllers, where it is not what they do here."""


def table() -> str:
    """Return the table as Markdown: a line for each control, and one for all layers where they have it alike."""
    groups: dict[str, list[Parameter]] = {}
    for row in PARAMETERS:
        groups.setdefault(row.name.removeprefix(row.layer), []).append(row)
    lines = [HEAD, ("---",) * len(HEAD), GENRE, *(_cells(rows) for rows in groups.values())]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def with_table(page: str) -> str:
    """Return the text `page` with the table between its lines BEGIN and END. ValueError if it has no such lines."""
    before, begin, rest = page.partition(f"{BEGIN}\n")
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no lines {BEGIN} and {END}")
    return f"{before}{begin}\n{table()}\n{end}{after}"


def _cells(rows: list[Parameter]) -> tuple[str, ...]:
    row = rows[0]
    controllers = ", ".join("-" if each.cc is None else f"CC {each.cc}" for each in rows)
    if row.cc in CALLED:
        controllers += f" ({CALLED[row.cc]})"
    does = row.help.replace(row.layer, "layer") if row.layer else row.help
    return ", ".join(each.name for each in rows), controllers, _range(row), row.acts, does


def _range(row: Parameter) -> str:
    span = f"{row.minimum:g} to {row.maximum:g}"
    texts = {
        "value": f"{span} {row.unit}".rstrip()
        if row.lowest is None
        else f"{row.minimum:g}, {row.lowest:g} to {row.maximum:g} {row.unit}",
        "number": span,
        "toggle": "off below 64, on from 64 (0 or 1)",
        "chord": f"{span}, in equal parts",
        "genre": f"{row.minimum:g}, then the model's genres, in equal parts",
        "trigger": f"any value ({row.maximum:g})",
        "count": f"any value above 0 ({span})",
    }
    return texts[row.kind]


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(with_table(path.read_text(encoding="utf-8")), encoding="utf-8")
