"""Map files: found by name, among a person's own and those that ship; read, with errors that name line and key; and written."""

import json
import re
import tomllib
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from noizestream.control import controller_map
from noizestream.control.controller_map import ControllerMap
from noizestream.control.map_table import WrongKey
from noizestream.errors import NoizestreamError, UsageError, option
from noizestream.system.files import check_output, expanded, not_a_file, reason, whole, writing

ENDING = ".toml"
LARGEST = 1_000_000
"""Bytes; a map of all parameters has some thousand."""

_HEADER = re.compile(r"\s*\[([^\[\]]+)\]")
_KEY = re.compile(r"\s*([\w\".-]+)\s*=")


def own_folder() -> Path:
    """Return the folder of a person's own maps, where the system keeps settings; it need not be there."""
    return user_config_path("noizestream", appauthor=False) / "maps"


def own_path(name: str) -> Path:
    """Return where a person's own map `name` is, or is to be: a path that ends in .toml, else in the folder of their maps."""
    if name.lower().endswith(ENDING):
        return expanded(name)
    if not _plain(name) or Path(name).name != name:
        raise UsageError(
            f"{option('map')} {name!r}: is no name for a map, give one such as nanokontrol2, or a file that ends in {ENDING}"
        )
    return own_folder() / f"{name}{ENDING}"


def find(asked: str | Path) -> Path | Traversable:
    """Return the map file `asked`, a path or a name: of a person's own maps, then of those that ship. UsageError for none.

    A name counts in any case, with or without spaces, dashes and dots.
    """
    if isinstance(asked, Path) or asked.lower().endswith(ENDING) or "/" in asked or "\\" in asked:
        path = expanded(asked)
        if why := not_a_file(path):
            raise UsageError(f"{option('map')} {asked}: {why}")
        return path
    files = dict(_named())
    if (found := files.get(_plain(asked))) is None:
        names = ", ".join(sorted(file.name.removesuffix(ENDING) for file in files.values()))
        raise UsageError(f"{option('map')} {asked}: no such map in {own_folder()}, nor of ours; there are {names}, or give a file")
    return found


def read(asked: str | Path) -> ControllerMap:
    """Return the map `asked`, a path or a name as for `find`. NoizestreamError with the line and the key of what is wrong in it."""
    file = find(asked)
    try:
        if isinstance(file, Path) and file.stat().st_size > LARGEST:
            raise ValueError("it is too large to be a map")
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise NoizestreamError(f"{option('map')} {file}: cannot be read ({reason(error)})") from None
    return parse(text, str(file))


def parse(text: str, name: str = "map") -> ControllerMap:
    """Return the map that the TOML `text` says. NoizestreamError that calls the file `name`, with the line and the key."""
    try:
        return controller_map.read(tomllib.loads(text))
    except WrongKey as error:
        line, key = line_of(text, error.keys), ".".join(error.keys)
        raise NoizestreamError(f"{option('map')} {name}, line {line}, {key}: {error.text}") from None
    except (ValueError, RecursionError) as error:  # a number, a date or a depth that Python does not take is a ValueError too
        raise NoizestreamError(f"{option('map')} {name}: is not TOML ({reason(error)})") from None


def text_of(controller: ControllerMap) -> str:
    """Return the TOML text of which `parse` makes `controller` again."""
    document = controller_map.document_of(controller)
    tables = {f"controls.{name}": table for name, table in document["controls"].items()}
    if "genres" in document:
        tables["genres"] = document["genres"]
    return "\n".join(f"[{name}]\n" + "".join(f"{key} = {_value(table[key])}\n" for key in table) for name, table in tables.items())


def write(controller: ControllerMap, path: str | Path) -> Path:
    """Write `controller` to `path`, whole or not at all, read it back and compare. UsageError or NoizestreamError if that fails."""
    path = check_output(path, option("map"), (ENDING,))
    with writing(path), whole(path) as partial:
        partial.write_text(text_of(controller), encoding="utf-8")
        if parse(partial.read_text(encoding="utf-8"), str(path)) != controller:
            raise NoizestreamError(f"{path}: what was read back is not what was written; nothing was changed")
    return path


def line_of(text: str, keys: tuple[str, ...]) -> int:
    """Return the line (from 1) of `text` where `keys` lead to, or the last of them that has a line of its own."""
    found, deepest = 1, 0
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if (header := _HEADER.match(line)) is not None:
            here = table = _parts(header[1])
        elif (key := _KEY.match(line)) is not None:
            here = (*table, *_parts(key[1]))
        else:
            continue
        depth = _common(here, keys)
        if depth > deepest:
            found, deepest = number, depth
    return found


def _named() -> Iterator[tuple[str, Path | Traversable]]:
    """Every map by its plain name; a person's own come last, and so count."""
    for file in resources.files("noizestream.control").joinpath("maps").iterdir():
        if file.name.endswith(ENDING):
            yield _plain(file.name.removesuffix(ENDING)), file
    folder = own_folder()
    try:
        own = sorted(folder.glob(f"*{ENDING}"))
    except OSError:  # a folder that is closed to us has none
        own = []
    for path in own:
        yield _plain(path.stem), path


def _plain(name: str) -> str:
    return re.sub(r"[\s._-]", "", name.casefold())


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _common(here: tuple[str, ...], keys: tuple[str, ...]) -> int:
    """How many keys `here` shares with `keys`, if it leads nowhere else."""
    return len(here) if here == keys[: len(here)] else len(keys) if here[: len(keys)] == keys else 0


def _value(value: Any) -> str:
    """`value` as TOML has it: for text, whole numbers, switches and lists of them that is as JSON has it."""
    return json.dumps(value, ensure_ascii=False)
