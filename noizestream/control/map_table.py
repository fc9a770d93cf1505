"""One control's table in a map file: read, checked, and written. Pure."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, get_args

from noizestream.control.assignment import Assignment, Source
from noizestream.control.controllers import FINE_HALF, Coding
from noizestream.control.gestures import GestureKind
from noizestream.control.parameter import CHOSEN, Parameter
from noizestream.control.parameters import BY_NAME
from noizestream.control.takeover import Takeover

_PULLED = ("trigger", "count")


class WrongKey(ValueError):
    """What is wrong with a map: `keys` lead to it from the top of the file, `text` says what is not possible and what is."""

    def __init__(self, keys: tuple[str, ...], text: str):
        super().__init__(text)
        self.keys, self.text = keys, text


TAKEN_OVER = ("absolute", "choice")
"""Kinds that have a way to take over."""

DEFAULTS: dict[str, Any] = {
    "channel": None,
    "reversed": False,
    "bits": 7,
    "coding": "two's complement",
    "range": None,
    "steps": None,
}


def read(name: str, table: object) -> Assignment:
    """Return the assignment that the `table` controls.`name` of a map file says. WrongKey for what is not possible."""
    row = BY_NAME.get(name)
    if row is None:
        near = get_close_matches(name, BY_NAME, 1)
        other = f"is it {near[0]}?" if near else f"give one of {', '.join(BY_NAME)}"
        raise WrongKey(("controls", name), f"there is no such parameter, {other}")
    if not isinstance(table, dict):
        raise WrongKey(("controls", name), f'give a table: [controls.{name}], and below it source = "cc 21"')
    keys = _Keys(name, table)
    for key in table:
        if key not in (*DEFAULTS, "source", "kind", "takeover"):
            keys.refuse(key, f"there is no such key, give source, kind, takeover, {', '.join(DEFAULTS)}")
    if "source" not in table:
        raise WrongKey(("controls", name), 'source is missing, such as source = "cc 21"')
    channel = keys.whole("channel", 1, 16)
    try:
        source = Source.parse(table["source"], None if channel is None else channel - 1)
    except ValueError as error:
        keys.refuse("source", str(error))
    kind: GestureKind = keys.one_of("kind", kinds(row, source), _usual(row, source))
    if "takeover" in table and kind not in TAKEN_OVER:
        keys.refuse("takeover", f"of kind {kind} there is none, leave it out (only {' and '.join(TAKEN_OVER)} take over)")
    if "coding" in table and kind != "relative":
        keys.refuse("coding", 'only an endless knob has one, say kind = "relative" or leave it out')
    if (steps := keys.whole("steps", 2, 128)) is not None and (kind not in ("choice", "cycle") or row.kind != "value"):
        keys.refuse("steps", "only where a choice or a cycle goes over a range without parts of its own, leave it out")
    if steps is None and kind in ("choice", "cycle") and row.kind == "value":
        raise WrongKey(("controls", name), f"steps is missing: among how many places the {kind} chooses, such as steps = 5")
    bits = keys.whole("bits", 7, 14) or 7
    if bits not in (7, 14) or (bits == 14 and (source.what != "cc" or source.number >= FINE_HALF or kind == "relative")):
        keys.refuse("bits", f"{bits} is not possible, give 14 only where the source is cc 0 to 31 and not relative, else 7")
    usual = "pickup" if kind == "absolute" and row.kind != "toggle" and source.what != "note" else "jump"
    return Assignment(
        name,
        source,
        kind,
        keys.one_of("takeover", get_args(Takeover), usual),
        keys.switch("reversed"),
        bits,
        keys.one_of("coding", get_args(Coding), DEFAULTS["coding"]),
        keys.span(row),
        steps,
    )


def table_of(assignment: Assignment) -> dict[str, Any]:
    """Return the table of which `read` makes `assignment` again, without what is so anyway."""
    source, span = assignment.source, assignment.span
    table: dict[str, Any] = {"source": str(source), "kind": assignment.kind}
    if assignment.kind in TAKEN_OVER:
        table["takeover"] = assignment.takeover
    more = {
        "channel": None if source.channel is None else source.channel + 1,
        "reversed": assignment.reversed,
        "bits": assignment.bits,
        "coding": assignment.coding,
        "range": None if span is None else list(span),
        "steps": assignment.steps,
    }
    return table | {key: value for key, value in more.items() if value != DEFAULTS[key]}


def kinds(row: Parameter, source: Source) -> tuple[GestureKind, ...]:
    """Return the kinds that a control of `source` can be for `row`."""
    if row.kind in _PULLED:
        return ("trigger",)
    kinds: tuple[GestureKind, ...] = ("absolute", "centred spring", "one-sided spring", "choice", "cycle")
    kinds += ("relative",) if source.what == "cc" else ()
    return (*kinds, "toggle") if row.kind == "toggle" else kinds


def _usual(row: Parameter, source: Source) -> GestureKind:
    """The kind that is meant where a map does not say it."""
    if row.kind in _PULLED:
        return "trigger"
    if source.what == "note":
        return "toggle" if row.kind == "toggle" else "cycle" if row.kind in CHOSEN else "one-sided spring"
    return "absolute"


class _Keys:
    """The keys of the table controls.`name`, one read after the other; WrongKey for a value that is not possible."""

    def __init__(self, name: str, table: Mapping[str, Any]):
        self._name, self._table = name, table

    def refuse(self, key: str, text: str) -> Any:
        raise WrongKey(("controls", self._name, key), text)

    def whole(self, key: str, low: int, high: int) -> int | None:
        value = self._table.get(key)
        if key in self._table and (type(value) is not int or not low <= value <= high):
            self.refuse(key, f"{value!r} is not possible, give a whole number from {low} to {high}")
        return value

    def switch(self, key: str) -> bool:
        value = self._table.get(key, False)
        return value if isinstance(value, bool) else bool(self.refuse(key, f"{value!r} is not possible, give true or false"))

    def one_of(self, key: str, words: tuple[str, ...], usual: str) -> Any:
        value = self._table.get(key, usual)
        return value if value in words else self.refuse(key, f"{value!r} is not possible here, give {', '.join(words)}")

    def span(self, row: Parameter) -> tuple[float, float] | None:
        if "range" not in self._table:
            return None
        value = self._table["range"]
        if row.kind not in ("value", "number", "chord"):
            self.refuse("range", f"{row.name} is of kind {row.kind} and has no part of a range, leave it out")
        if not isinstance(value, list) or len(value) != 2 or not all(type(each) in (int, float) for each in value):
            self.refuse("range", f"{value!r} is not possible, give two numbers, such as [{row.minimum:g}, {row.maximum:g}]")
        low, high = value
        if not low < high:
            self.refuse("range", f"{value!r} begins with its upper end, give the lower one first (reversed = true turns it round)")
        takes = f"{row.minimum:g} to {row.maximum:g} {row.unit}".rstrip()
        off = row.lowest is not None and (row.minimum < low < row.lowest or high <= row.lowest)
        if off or low < row.minimum or high > row.maximum:
            self.refuse("range", f"{value!r} is out of range, {row.name} takes {takes}")
        if row.kind in CHOSEN and (low != int(low) or high != int(high)):
            self.refuse("range", f"{value!r} is not possible, give whole numbers")
        return float(low), float(high)
