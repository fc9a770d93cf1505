"""Every decision is a record that can be read in a minute, and the index has them all."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "docs" / "decisions"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))
PARTS = ("Status", "Decision", "Why", "Supersedes")
MOST_WORDS = 150


def part(text: str, name: str) -> str:
    """The paragraph of the record that opens with `name`; "" if there is none."""
    found = re.search(rf"^\*\*{name}\*\*: (.+)$", text, re.MULTILINE)
    return found.group(1) if found else ""


def sentences(text: str) -> int:
    """How many there are in `text`, code and brackets aside."""
    plain = re.sub(r"`[^`]*`|\([^)]*\)", "x", text)
    return len(re.findall(r"[.?!](?=\s|$)", plain))


@pytest.mark.parametrize("file", RECORDS, ids=lambda file: file.stem)
def test_a_record_has_its_parts_and_is_short(file):
    text = file.read_text()
    rows = [line.startswith("|") for line in text.splitlines()]
    words = [word for line in text.splitlines() if not line.startswith("|") for word in line.split()]
    assert all(part(text, name) for name in PARTS)
    assert re.fullmatch(r"(proposed|accepted|superseded by \[.+\]\(.+\)), \d{4}-\d\d-\d\d", part(text, "Status"))
    assert 1 <= sentences(part(text, "Decision")) <= 2
    assert len(words) < MOST_WORDS
    tables = sum(row and not before for before, row in zip([False, *rows], rows, strict=False))
    assert tables <= 1
    assert not tables or part(text, "Measured by"), "a figure without its command"


def test_they_are_numbered_and_the_index_names_each_in_a_line():
    assert [int(file.name[:4]) for file in RECORDS] == list(range(1, len(RECORDS) + 1))
    index = (FOLDER / "README.md").read_text().splitlines()
    for number, file in enumerate(RECORDS, 1):
        title = file.read_text().splitlines()[0].removeprefix(f"# {number}. ")
        assert f"| [{number:04d}]({file.name}) | {title} |" in index
    assert sum(line.startswith("| [") for line in index) == len(RECORDS)
