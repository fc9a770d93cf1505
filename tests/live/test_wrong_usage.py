"""`play` and `devices` where something is missing or mistyped: one line, the right exit code, nothing written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rig.jack_server import JackServer
from rig.waiting import PATIENCE_S

NO_SERVER = os.environ | {"JACK_DEFAULT_SERVER": "noizestream-test-none", "JACK_NO_START_SERVER": "1"}


def noizestream(*arguments: str, environment: dict[str, str] = NO_SERVER) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "noizestream.cli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def has_hardware() -> bool:
    from noizestream.devices.portaudio import outputs
    from noizestream.errors import NoizestreamError

    try:
        return any("JACK" not in device.host for device in outputs())
    except NoizestreamError:
        return False


def one_line(run: subprocess.CompletedProcess, code: int) -> str:
    """The one line a person sees; fails unless it is exactly that, with `code`."""
    assert run.returncode == code, run.stderr
    assert run.stderr.startswith("noizestream: ") and len(run.stderr.splitlines()) == 1, run.stderr
    return run.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-t", "-1"], "-t"),
        (["-g", "Polka"], "Polka"),
        (["--tempo", "120"], "tempo"),
        (["--tempo", "20"], "--tempo"),
        (["--set", "volume=0"], "volume"),
        (["--set", "temperature"], "NAME=VALUE"),
        (["--chords", "2"], "no control chord"),
        (["--chords", "17"], "--chords"),
        (["--latency", "none"], "--latency"),
        (["--latency", "9"], "--latency"),
        (["--seconds", "0"], "--seconds"),
        (["--stats", "no/such/folder/stats.json"], "--stats"),
        (["--or-render", "no/such/folder/out.wav"], "--or-render"),
    ],
)
def test_options_are_checked_before_anything_opens(sine_model, arguments, says):
    assert says in one_line(noizestream("play", str(sine_model), *arguments), 2)


def test_a_model_that_is_not_there(tmp_path):
    assert "none.ts" in one_line(noizestream("play", str(tmp_path / "none.ts")), 1)


def test_what_cannot_be_heard_before_it_plays(sine_model, tmp_path):
    line = one_line(noizestream("play", str(sine_model), "--prime", str(tmp_path / "none.wav")), 1)
    assert "--prime" in line and "none.wav" in line and "missing" in line


def test_a_folder_cannot_take_the_statistics(sine_model, tmp_path):
    assert "--stats" in one_line(noizestream("play", str(sine_model), "--stats", str(tmp_path)), 2)


@pytest.mark.skipif(has_hardware(), reason="this machine has an audio device")
def test_no_audio_device(sine_model):
    assert "no audio device" in one_line(noizestream("play", str(sine_model)), 1)


@pytest.mark.skipif(has_hardware(), reason="this machine has an audio device")
def test_no_audio_device_renders_where_asked_to(sine_model, tmp_path):
    import soundfile

    wav = tmp_path / "instead.wav"
    run = noizestream("play", str(sine_model), "-g", "B", "--or-render", str(wav))
    assert run.returncode == 0, run.stderr
    assert str(wav) in run.stdout and "no audio device" in run.stderr
    audio, rate = soundfile.read(wav)
    assert len(audio) / rate == pytest.approx(20, abs=0.1) and 0.1 < abs(audio).max() <= 10 ** (-0.3 / 20)


@pytest.mark.parametrize(("option", "kind"), [("-d", "audio device"), ("-m", "MIDI port")])
def test_an_unknown_device_or_port(jack_server: JackServer, sine_model, tmp_path, option, kind):
    stats = tmp_path / "stats.json"
    run = noizestream("play", str(sine_model), option, "gramophone", "--stats", str(stats), environment=jack_server.environment)
    line = one_line(run, 1)
    assert "gramophone" in line and kind in line and "noizestream devices" in line
    assert not stats.exists()


def test_devices_lists_what_is_there_and_marks_the_default(jack_server: JackServer):
    run = noizestream("devices", environment=jack_server.environment)
    assert run.returncode == 0 and run.stderr == ""
    assert any(line.startswith("*") and "system" in line and "48000 Hz" in line for line in run.stdout.splitlines())


def test_devices_is_fine_with_nothing_there():
    run = noizestream("devices")
    assert run.returncode == 0 and run.stderr == ""
    assert "MIDI ports" in run.stdout


def test_the_main_process_imports_neither_torch_nor_librosa(jack_server: JackServer, sine_model):
    program = (
        "import atexit, os, sys\n"
        "from noizestream.cli import main\n"
        "parent = os.getpid()\n"
        "heavy = lambda: [name for name in ('torch', 'librosa', 'scipy.signal') if name in sys.modules]\n"
        "atexit.register(lambda: print('HEAVY', heavy()) if os.getpid() == parent else None)\n"
        "if __name__ == '__main__':\n"
        "    main()\n"
    )
    script = Path(sine_model).with_name("look_at_modules.py")
    script.write_text(program)
    command = [sys.executable, str(script), "play", str(sine_model), "--headless", "--seconds", "0.2"]
    run = subprocess.run(command, env=jack_server.environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert run.returncode == 0, run.stderr
    assert "HEAVY []" in run.stdout
