"""What depends on what, outside of the package: nothing that a person runs needs the tests."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("tests", "benchmarks", "rig", "examples", "noizestream")


def imported(file: Path) -> set[str]:
    """The first names of all modules that it imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).split(".")[0])
    return found


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("noizestream", {"tests", "benchmarks", "rig", "examples"}),
        ("examples", {"tests", "benchmarks", "rig"}),
        ("benchmarks", {"tests"}),
        ("rig", {"tests", "benchmarks"}),
    ],
)
def test_no_folder_imports_one_that_stands_on_it(folder, forbidden):
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files and set(FOLDERS) <= {path.name for path in ROOT.iterdir()}
    assert {str(file.relative_to(ROOT)): found for file in files if (found := imported(file) & forbidden)} == {}
