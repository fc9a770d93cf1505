"""The picture in docs/architecture.md is what the package is: a room imports what its arrow names, and arrows point down."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "noizestream"
TOP = {"__init__.py", "cli.py", "errors.py"}
BELOW_ALL = {"system", "errors"}
"""What every room but nn may import."""
LIBRARIES = {"sounddevice": {"devices"}, "rtmidi": {"devices"}, "pythonosc": {"devices"}}
"""Libraries that open devices, and the rooms that may import them."""
NOT_YET: set[tuple[str, str]] = set()
"""Arrows that are there and must not be."""
SOON: set[tuple[str, str]] = set()
"""Arrows that are drawn, and are not there yet."""


def picture() -> dict[str, set[str]]:
    """Room -> rooms that it may import, as drawn, from the top down."""
    drawn = (ROOT / "docs" / "architecture.md").read_text().split("```")[1]
    rows = dict(re.findall(r"^(\w+) +->[ ]?(.*?)(?:  .*)?$", drawn, re.MULTILINE))
    arrows = {room: set(text.split()) & set(rows) for room, text in rows.items()}
    return arrows | {"commands": set(rows) - {"commands", "nn"}}


def trees(file: Path) -> Iterator[ast.AST]:
    """The code of `file`, and what of its text is code for another process."""
    tree = ast.parse(file.read_text())
    yield tree
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"^\s*(import|from) \w", node.value, re.M):
            try:
                yield ast.parse(node.value)
            except SyntaxError:  # prose
                continue


def imported(file: Path) -> set[str]:
    """Names of all modules that `file` imports, at its top or inside of functions: `a.b` of `from a import b` too."""
    found = set()
    for node in (node for tree in trees(file) for node in ast.walk(tree)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: a relative import"
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def rooms(file: Path) -> set[str]:
    """The rooms (or modules of the top level) that `file` imports."""
    return {name.split(".")[1] for name in imported(file) if name.startswith("noizestream.")}


DRAWN = picture()
FILES = {room: sorted((PACKAGE / room).rglob("*.py")) for room in DRAWN}
NEEDED = {room: set().union(*map(rooms, files)) - {room} - BELOW_ALL for room, files in FILES.items()}


def test_the_top_level_has_rooms_and_three_modules():
    assert {path.name for path in PACKAGE.glob("*.py")} == TOP
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(DRAWN)


def test_arrows_point_down():
    order = list(DRAWN)
    assert order[-1] == "system" and len(order) > 10
    assert [(a, b) for a in order for b in DRAWN[a] if order.index(b) <= order.index(a)] == []


@pytest.mark.parametrize("room", DRAWN)
def test_a_room_imports_what_is_drawn(room):
    allowed = DRAWN[room] | BELOW_ALL | {room} | {other for one, other in NOT_YET if one == room}
    assert {str(file.relative_to(PACKAGE)): more for file in FILES[room] if (more := rooms(file) - allowed)} == {}


@pytest.mark.parametrize("room", [room for room in DRAWN if room != "commands"])
def test_what_is_drawn_is_needed(room):
    assert DRAWN[room] - NEEDED[room] - {other for one, other in SOON if one == room} == set()


def test_what_is_waited_for_has_not_come():
    """Once it has, its row is deleted."""
    assert {(one, other) for one, other in NOT_YET if other not in NEEDED[one]} == set(), "delete these from NOT_YET"
    assert {(one, other) for one, other in SOON if other in NEEDED[one]} == set(), "delete these from SOON"


def test_networks_import_nothing_of_ours_and_the_system_only_errors():
    outside = {room: set().union(*map(rooms, FILES[room])) for room in ("nn", "system")}
    assert outside["nn"] <= {"nn"} and outside["system"] <= {"system", "errors"}


@pytest.mark.parametrize("library", LIBRARIES)
def test_devices_are_opened_at_the_edge(library):
    users = {room for room, files in FILES.items() for file in files if library in {n.split(".")[0] for n in imported(file)}}
    assert users and users <= LIBRARIES[library]


@pytest.mark.parametrize("room", ["session", "control", "realtime", "devices"])
def test_what_is_no_screen_prints_nothing(room):
    calls = [(file, node) for file in FILES[room] for tree in trees(file) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    said = {"print", "click.echo", "click.secho", "sys.stdout.write"}
    assert [str(file) for file, call in calls if ast.unparse(call.func) in said] == []


def test_every_module_that_is_named_as_text_is_there():
    """Strings that code hands to importlib, monkeypatch, `python -m` or another process, and lines in pages."""
    files = [file for folder in ("noizestream", "tests", "benchmarks", "rig", "examples") for file in (ROOT / folder).rglob("*.py")]
    for file in [*files, *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "Makefile"]:
        text = file.read_text()
        named = set(re.findall(r"\bnoizestream(?:\.[a-z]\w*)+", text))
        for module, names in re.findall(r"\bfrom (noizestream[\w.]*) import ([\w, ]+)", text):
            named |= {f"{module}.{name.split(' as ')[0].strip()}" for name in names.split(",") if name.strip()}
        assert {name for name in named if not is_there(name)} == set(), file


def is_there(name: str) -> bool:
    """Whether the dotted `name` begins with a module and, if more follows, that module has such a name."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:end])
        for module in (path.with_suffix(".py"), path / "__init__.py"):
            if module.exists():
                return end == len(parts) or re.search(rf"\b{parts[end]}\b", module.read_text()) is not None
    return False
