"""The OSC addresses of a session, from the table of parameters and what its models declare: one below PREFIX for each. Pure."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from noizestream.control.parameter import CHOSEN, Parameter
from noizestream.control.parameters import BY_NAME, MODEL, PARAMETERS
from noizestream.modelfile.metadata import Metadata

PREFIX = "/noizestream/"
GENRE, SUBSCRIBE, UNSUBSCRIBE, TREE = "genre", "subscribe", "unsubscribe", "tree"
FIGURES = {"playing": "1 while it sounds", "peak": "level, 1 is full scale", "load": "1 is all there is", "underruns": "so far"}
"""What is sent out below `status/`, and taken from nobody."""

_RESERVED = {GENRE, SUBSCRIBE, UNSUBSCRIBE, TREE, "status"}
_NOT_IN_AN_ADDRESS = re.compile(r"[\s#*,/?\[\]{}]")
READ, WRITE = 1, 2
"""OSCQuery's ACCESS: sent out, taken; the sum is both."""


@dataclass(frozen=True)
class Address:
    """One address: the OSC types it takes (`f` float, `i` whole number, `s` text), its range in words, and what it does.

    `access` is READ, WRITE or their sum; `least` and `most` are the ends of a range of numbers, `choices` the names to choose from.
    """

    path: str
    types: str
    range: str
    does: str
    access: int = READ + WRITE
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()


def rows_of(model: Metadata, models: int) -> dict[str, Parameter]:
    """Return what can be set while `model`, one of so many `models`, plays, by the last part of its address.

    That is the controls it declares, each within the model's range, and what acts on the output or the session.
    """
    rows: dict[str, Parameter] = {}
    for control in model.controls:
        name, low, high = control["name"], float(control["min"]), float(control["max"])
        row = BY_NAME.get(name)
        if row is None:
            row = Parameter(name, "a control of this model", low, high, float(control["default"]), control["unit"])
        elif row.acts == "model":
            row = replace(row, minimum=max(low, row.minimum), maximum=min(high, row.maximum))
        rows[_NOT_IN_AN_ADDRESS.sub("_", name)] = row
    rows |= {row.name: row for row in PARAMETERS if row.acts != "model"}
    rows[MODEL.name] = replace(MODEL, maximum=models - 1)
    return {part: row for part, row in rows.items() if part not in _RESERVED}


def addresses(models: Sequence[Metadata]) -> list[Address]:
    """Return all addresses of a session of `models`; where they differ, a control has the range of the first that declares it."""
    genres = tuple(dict.fromkeys(genre for model in models for genre in model.genres))
    mix = '"Jazz" or "Jazz:0.7,Folk:0.3"' if len(genres) < 2 else f'"{genres[0]}" or "{genres[0]}:0.7,{genres[1]}:0.3"'
    found = [Address(PREFIX + GENRE, "s|i|f", f"a name, a number from 0, or a mix: {mix}", "what is played next", choices=genres)]
    rows: dict[str, Parameter] = {}
    for model in models:
        rows = rows_of(model, len(models)) | rows
    found += [_address(part, row) for part, row in rows.items()]
    found += [
        Address(PREFIX + SUBSCRIBE, "i or none", "a port, else the sender's", "have the state sent ten times a second", WRITE),
        Address(PREFIX + UNSUBSCRIBE, "none", "", "have it sent no more", WRITE),
        Address(PREFIX + TREE, "none", "", "be sent this table, as JSON in the form of OSCQuery", WRITE),
    ]
    return found + [Address(f"{PREFIX}status/{name}", "f", "", does, READ) for name, does in FIGURES.items()]


def lines(found: Sequence[Address]) -> list[str]:
    """Return the table of addresses for a person: a line for each, in columns."""
    cells = [(each.path, each.types, each.range, each.does) for each in found]
    widths = [max(len(row[column]) for row in cells) for column in range(3)]
    return ["  ".join([*(f"{text:<{width}}" for text, width in zip(row, widths, strict=False)), row[3]]) for row in cells]


def tree(found: Sequence[Address]) -> str:
    """Return the table of addresses as JSON in the form of OSCQuery, for a program."""
    root: dict[str, Any] = {"FULL_PATH": PREFIX.rstrip("/"), "CONTENTS": {}}
    for each in found:
        *folders, name = each.path.removeprefix(PREFIX).split("/")
        node, path = root, PREFIX.rstrip("/")
        for folder in folders:
            path = f"{path}/{folder}"
            node = node["CONTENTS"].setdefault(folder, {"FULL_PATH": path, "CONTENTS": {}})
        entry: dict[str, Any] = {"FULL_PATH": each.path, "ACCESS": each.access, "DESCRIPTION": each.does}
        if tags := [tag for tag in each.types.split("|") if len(tag) == 1]:
            entry["TYPE"] = tags[0]
        if each.choices:
            entry["RANGE"] = [{"VALS": list(each.choices)}]
        elif each.least is not None:
            entry["RANGE"] = [{"MIN": each.least, "MAX": each.most}]
        node["CONTENTS"][name] = entry
    return json.dumps(root, ensure_ascii=False)


def _address(part: str, row: Parameter) -> Address:
    if row.kind in ("trigger", "count"):
        return Address(PREFIX + part, "i|f or none", "anything but 0 (a button let go)", row.help, WRITE)
    span = f"{row.minimum:g} to {row.maximum:g}" if row.minimum < row.maximum else f"{row.minimum:g}"
    if row.lowest is not None:
        span = f"{row.minimum:g}, {row.lowest:g} to {row.maximum:g}"
    names = {"toggle": ", or on, off", "chord": ", or a name such as Am", "genre": ", or a name", "number": ", or a name"}
    words = f"{span} {row.unit}".rstrip() + names.get(row.kind, "")
    types = "i|f|s" if row.kind in CHOSEN else "f|i"
    return Address(PREFIX + part, types, words, row.help, READ + WRITE, row.minimum, row.maximum)
