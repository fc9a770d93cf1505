"""The README's table of controls is the table of parameters, and its links lead somewhere."""

import re
from pathlib import Path

import pytest

from noizestream.control.parameters import GENRE_FIRST_NOTE, PARAMETERS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("row", PARAMETERS, ids=lambda row: row.name)
def test_every_control_is_listed_with_its_controller(row):
    """A line lists one control, or those of one kind of all layers, with as many controllers in the same order."""
    lines = [line.split(" | ") for line in README.splitlines() if line.startswith("| ")]
    ((names, controllers, values, *_),) = [cells for cells in lines if row.name in cells[0].strip("| ").split(", ")]
    names = names.strip("| ").split(", ")
    assert re.findall(r"CC (\d+)", controllers)[names.index(row.name)] == str(row.cc)
    assert ("genres" if row.kind == "genre" else f"{row.maximum:g}") in values


def test_pads_are_listed():
    assert f"notes {GENRE_FIRST_NOTE}, {GENRE_FIRST_NOTE + 1}" in README


PAGES = ["README.md", "CONTRIBUTING.md", *(str(page.relative_to(ROOT)) for page in sorted((ROOT / "docs").glob("*.md")))]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text()):
        assert target.startswith("https://") or ((ROOT / page).parent / target).exists(), target
