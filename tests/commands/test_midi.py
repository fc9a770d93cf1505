"""`noizestream midi`: the command with an instrument that is made up."""

import pytest
from click.testing import CliRunner

from noizestream.cli import group
from noizestream.control import map_file
from noizestream.control.assignment import Source
from noizestream.errors import UsageError
from tests.commands.run import assert_one_line, run


@pytest.fixture
def plays(monkeypatch):
    """Call it with messages, and every MIDI process hands them over once it is open."""
    messages: list[bytes] = []

    class Instrument:
        port = None

        def __init__(self, asked, handle, say=print, lost=None):
            self.handle = handle

        def __enter__(self):
            for message in messages:
                self.handle(message)
            return self

        def __exit__(self, *_):
            pass

        def wait(self):
            return None

        def tick(self):
            pass

    monkeypatch.setattr("noizestream.devices.midi_process.MidiProcess", Instrument)
    return lambda *data: messages.extend(map(bytes, data))


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The folder of a person's own maps, which is not there yet."""
    monkeypatch.setattr(map_file, "user_config_path", lambda name, appauthor: tmp_path / name)
    return tmp_path / "noizestream" / "maps"


def test_the_monitor_says_what_comes_and_what_it_does(plays, sine_model):
    plays([0xB0, 1, 127], [0xC2, 1], [0xB0, 99, 3], [0x80, 36, 0], [0xF8], [0xB0, 1], [0xB0, 7, 0])
    done = CliRunner().invoke(group, ["midi", "monitor", str(sine_model), "--seconds", "0.2"])
    assert done.exit_code == 0, done.output
    assert [line.split("  ", 1)[0] for line in done.stdout.splitlines()] == [
        "cc 1 at 127, channel 1",
        "program at 1, channel 3",
        "cc 99 at 3, channel 1",
        "note 36 up, channel 1",
        "clock",
        "b0 01 (no message that means anything here) means nothing here",
        "cc 7 at 0, channel 1",
    ]
    assert [line.split("  ")[-1].strip() for line in done.stdout.splitlines()][:4] == [
        "temperature 2.00",
        "genre B",
        "means nothing here",
        "changes nothing (let go, or not taken over yet)",
    ]


def test_the_monitor_takes_a_map(plays, sine_model):
    plays([0xB0, 20, 3], [0xB0, 20, 64], [0xB0, 55, 127])
    done = CliRunner().invoke(group, ["midi", "monitor", str(sine_model), "--map", "nanokontrol2", "--seconds", "0.2"])
    effects = [line.split("  ")[-1].strip() for line in done.stdout.splitlines()]
    assert effects == ["changes nothing (let go, or not taken over yet)", "temperature 1.00", "mute 1"]


def test_what_is_learned_is_written_and_found_by_its_name(plays, own):
    plays([0xB0, 21, 0], [0xB0, 21, 40], [0x99, 40, 5], [0xB0, 22, 0], [0xB0, 22, 90])
    done = CliRunner().invoke(group, ["midi", "learn", "mine", "temperature", "mute", "volume"], input="")
    assert done.exit_code == 0, done.output
    assert "temperature: cc 21, channel 1, absolute, pickup" in done.stdout and "mute: note 40, channel 10, toggle" in done.stdout
    controller = map_file.read("mine")
    assert map_file.find("mine") == own / "mine.toml" and f"wrote {own / 'mine.toml'}" in done.stdout
    assert [(each.parameter, each.source) for each in controller.controls] == [
        ("temperature", Source("cc", 21, 0)),
        ("mute", Source("note", 40, 9)),
        ("volume", Source("cc", 22, 0)),
    ]


def test_an_empty_line_leaves_a_control_out_and_q_ends(plays, own, monkeypatch):
    plays()
    done = CliRunner().invoke(group, ["midi", "learn", "mine", "temperature", "mute"], input="\nq\n")
    assert done.exit_code == 0 and "nothing was written" in done.output and not own.exists()


@pytest.mark.parametrize("name", ["", "a/b", ".."])
def test_a_name_that_is_none(name):
    with pytest.raises(UsageError, match="is no name for a map"):
        map_file.own_path(name)


def test_through_the_real_command_what_is_wrong_is_one_line(tmp_path, sine_model):
    broken = tmp_path / "broken.toml"
    broken.write_text('[controls.tempo]\nsource = "cc 3"\nrange = [160, 80]\n')
    for command in (
        ["midi", "monitor", sine_model, "--map", broken],
        ["play", sine_model, "--map", broken],
        ["midi", "learn", broken],
    ):
        assert_one_line(run(*command), 1, f"--map {broken}, line 3, controls.tempo.range")
    assert_one_line(run("play", sine_model, "--map", "no such"), 2, "--map no such: no such map in ")
    assert_one_line(run("midi", "learn", tmp_path / "new.toml", "tempos"), 2, "tempos: there is no such control")
