"""`noizestream doctor` as a person runs it: with a sound server, and on a machine where torch is broken."""

import os
import subprocess
import sys

from rig.waiting import PATIENCE_S

LINE = [sys.executable, "-m", "noizestream.cli", "doctor"]


def test_it_lists_what_is_there_and_prints_nothing_else(jack_server):
    done = subprocess.run(LINE, env=jack_server.environment, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "what the C libraries print stays off the screen"
    rows = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    names = {row[0] for row in rows}
    assert {"noizestream", "python", "libraries", "torch", "int8", "portaudio", "host", "device", "MIDI", "processor"} <= names
    (device,) = [line for line in done.stdout.splitlines() if line.startswith("device") and "JACK" in line]
    assert "takes 48000 Hz" in device and "default" in device, "only the server's own rate"
    assert all(line.startswith(" ") for line in done.stdout.splitlines() if "-> " in line)


def test_broken_torch_is_said_and_ends_with_1(tmp_path):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise ImportError('libtorch_cpu.so: cannot open shared object file')")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    environment |= {"JACK_DEFAULT_SERVER": "noizestream-none"}
    done = subprocess.run(LINE, env=environment, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 1
    (torch,) = [line for line in done.stdout.splitlines() if line.startswith("torch ")]
    assert "libtorch_cpu.so" in torch and "BROKEN" in torch
    assert "processor" in done.stdout, "the rest is told all the same"
    (last,) = done.stderr.splitlines()
    assert last.startswith("noizestream: torch: broken")
