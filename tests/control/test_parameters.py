"""A control is a row: it is found wherever controls are, without anything else that names it."""

from pathlib import Path

import pytest

from noizestream.commands import play, render
from noizestream.control.midi_map import MidiMap, SetValue
from noizestream.control.parameters import PARAMETERS
from noizestream.control.reference import with_table
from noizestream.control.settings import parse_settings
from noizestream.control.state import LiveState
from noizestream.errors import UsageError
from noizestream.modelfile.metadata import Metadata
from noizestream.ui.status import cells, noted
from tests.foreign_models import LAYERED

ROOT = Path(__file__).parents[2]
EVERY = pytest.mark.parametrize("row", PARAMETERS, ids=lambda row: row.name)


@pytest.fixture
def state() -> LiveState:
    """Of a model that declares all that acts in a model."""
    return LiveState(Metadata(**{key: value for key, value in LAYERED.items() if key != "tempos"}))


@EVERY
def test_the_command_line_sets_it_or_says_that_it_is_live_only(state, row):
    for command in (play.command, render.command):
        spelt = {option: parameter for parameter in command.params for option in parameter.opts}
        assert all(row.help in spelt[flag].help for flag in row.flag) and "--set" in spelt
    if row.acts == "model":
        assert parse_settings(state.metadata, [f"{row.name}={row.minimum:g}"]) == {row.name: row.minimum}
    else:
        assert not row.flag
        with pytest.raises(UsageError, match=f"'{row.name}': it acts on the {row.acts}, live only"):
            parse_settings(state.metadata, [f"{row.name}={row.default:g}"])


@EVERY
def test_its_controller_moves_it_in_the_state_and_the_screen_says_so(state, row):
    def screen() -> list[object]:
        return [cells(state.by_name()), noted(state.by_name()), state.changed()]

    before, kept = screen(), row.acts != "session"
    action = MidiMap(3).translate([0xB0, row.cc, 127])
    assert isinstance(action, SetValue) and action.name == row.name
    state.apply(action)
    if kept:
        assert state.by_name()[row.name] == (1 if row.kind == "count" else action.value)
    assert (screen() != before) == (kept and row.kind != "count")


@pytest.mark.parametrize("page", ["README.md", "docs/midi.md"])
def test_the_pages_have_the_table_as_it_is(page):
    """If this fails: python -m noizestream.control.reference README.md docs/midi.md"""
    text = (ROOT / page).read_text(encoding="utf-8")
    assert text == with_table(text)
