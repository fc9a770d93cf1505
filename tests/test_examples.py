"""The examples: they compile, import of noizestream only what is public, and say what they do; none needs a device for that."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import noizestream
from rig.waiting import PATIENCE_S

FOLDER = Path(__file__).parents[1] / "examples"
PROGRAMS = sorted(FOLDER.glob("*.py"))
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LIBRARIES = {"osc_in.py": "pythonosc"}
"""Of the extras."""


def code(file: Path) -> str:
    """The program in `file`, of a notebook that of all its cells."""
    if file.suffix == ".py":
        return file.read_text()
    cells = json.loads(file.read_text())["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def test_there_are_some():
    assert {"controller.py", "mido_in.py", "osc_in.py", "sine_model.py"} <= {path.name for path in PROGRAMS} and NOTEBOOKS


@pytest.mark.parametrize("file", [*PROGRAMS, *NOTEBOOKS], ids=lambda path: path.name)
def test_an_example_compiles_and_uses_public_names_only(file):
    tree = ast.parse(code(file), file.name)
    modules = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    modules |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not [name for name in modules if name.startswith("noizestream.")]
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    used = {node.attr for node in attributes if isinstance(node.value, ast.Name) and node.value.id == "noizestream"}
    assert used <= set(noizestream.__all__) and not [node.attr for node in attributes if re.match(r"_[^_]", node.attr)]


@pytest.mark.parametrize("file", [path for path in PROGRAMS if path.name != "sine_model.py"], ids=lambda path: path.name)
def test_an_example_says_what_it_does(file):
    if file.name in LIBRARIES:
        pytest.importorskip(LIBRARIES[file.name], reason=f"{LIBRARIES[file.name]} is not installed")
    done = subprocess.run([sys.executable, file, "--help"], capture_output=True, text=True, timeout=PATIENCE_S)
    docstring = ast.get_docstring(ast.parse(file.read_text()))
    assert done.returncode == 0 and " ".join(docstring.splitlines()[0].split()) in " ".join(done.stdout.split()), done.stderr


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_has_no_outputs(file):
    cells = json.loads(file.read_text())["cells"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells if cell["cell_type"] == "code")
