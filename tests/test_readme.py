"""The README's table of controls is the table of parameters; links lead somewhere, and what a page names is there."""

import re
from functools import cache
from pathlib import Path

import pytest

from noizestream.control.parameters import GENRE_FIRST_NOTE, PARAMETERS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
FOLDERS = ("noizestream", "tests", "benchmarks", "rig", "examples", "docs", "models", ".ci")
BELOW = sorted(str(page.relative_to(ROOT)) for folder in ("docs", "models") for page in (ROOT / folder).rglob("*.md"))
PAGES = ["README.md", "CONTRIBUTING.md", *BELOW]
SOURCES = sorted(
    str(file.relative_to(ROOT)) for folder in FOLDERS for file in (ROOT / folder).rglob("*.py") if file.name != Path(__file__).name
)


@cache
def files() -> frozenset[str]:
    """Paths of all that is there, files and folders, from the root."""
    found = {path.relative_to(ROOT) for folder in FOLDERS for path in (ROOT / folder).rglob("*")}
    return frozenset(map(str, {*found, *(path.relative_to(ROOT) for path in ROOT.glob("*"))}))


def is_there(path: str, page: str) -> bool:
    """Whether `path` is a file as `page` may name it: from the root, the package, the tests or the page; a bare one, anywhere."""
    if "/" not in path.strip("/"):
        return any(Path(file).name == path.strip("/") for file in files())
    beside = Path(page).parent / path
    return any(str(Path(*places)) in files() for places in ([path], ["noizestream", path], ["tests", path], [beside]))


@pytest.mark.parametrize("row", PARAMETERS, ids=lambda row: row.name)
def test_every_control_is_listed_with_its_controller(row):
    """A line lists one control, or those of one kind of all layers, with as many controllers in the same order."""
    lines = [line.split(" | ") for line in README.splitlines() if line.startswith("| ")]
    ((names, controllers, values, _),) = [cells for cells in lines if row.name in cells[0].strip("| ").split(", ")]
    names = names.strip("| ").split(", ")
    assert re.findall(r"CC (\d+)", controllers)[names.index(row.name)] == str(row.cc)
    assert ("genres" if row.kind == "genre" else f"{row.maximum:g}") in values


def test_pads_are_listed():
    assert f"notes {GENRE_FIRST_NOTE}, {GENRE_FIRST_NOTE + 1}" in README


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target, _, section in re.findall(r"\]\(([^)#]*)(#([^)]*))?\)", (ROOT / page).read_text()):
        if target.startswith("https://"):
            continue
        file = (ROOT / page).parent / target if target else ROOT / page
        assert file.exists(), target
        if section:
            titles = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            assert section in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}, f"{target}#{section}"


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_names_are_there(page):
    """Code, tests, tables and pages; not what a reader's own files are called."""
    text = re.sub(r"\]\([^)]*\)", "]", (ROOT / page).read_text())
    named = set(re.findall(r"(?<![\w/.~*-])(?:[\w.-]+/)*[\w.-]+\.(?:py|toml|npz|md)\b", text))
    named |= set(re.findall(r"`((?:\w+/)*\w+/)`", text))  # rooms
    named = {path for path in named if "NAME" not in path}
    named -= OTHERS.get(page, set())
    assert sorted(path for path in named if not is_there(path, page)) == []


OTHERS = {"docs/training.md": {"previews/"}}
"""What is not ours, but made where the page says: page -> paths."""


def test_files_that_the_code_names_are_there():
    for page in SOURCES:
        named = re.findall(r"\b(?:docs|tests|benchmarks|rig|examples|models)/[\w/.-]+\.(?:py|md)\b", (ROOT / page).read_text())
        assert {path for path in named if path not in files()} == set(), page


def test_the_tests_that_a_page_names_are_there():
    """In docs/playing.md: a file of tests, then the names of tests in it, cut short by dots where they are long."""
    named = re.findall(r"`([\w/]*test_\w+\.py)`((?:,? `\w+(?:\.\.\.)?`)*)", (ROOT / "docs" / "playing.md").read_text())
    assert sum(bool(names) for _, names in named) > 10
    for file, names in named:
        code = (ROOT / file if file.startswith("tests/") else ROOT / "tests" / file).read_text()
        for name in re.findall(r"`(\w+)(\.\.\.)?`", names):
            assert re.search(rf"def test_{name[0]}{'' if name[1] else chr(92) + 'b'}", code), f"{file}: {name[0]}"
