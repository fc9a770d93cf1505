"""Nothing stops the set: every fault that a stage has is provoked in one performance, and the music goes on.

One `play` on a JACK server of its own, in a pseudo-terminal, with a second model and a recording; the tests follow each other.
"""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from rig.harness import HERE, Terminal, start
from rig.jack_server import JackServer
from tests import foreign_models as foreign
from tests.processes import children, maps

PATIENCE_S = 180.0
"""Only what is broken waits so long; a machine that is busy with other things may need some of it to load a model."""
TONES = {"A": 220.0, "B": 440.0, "C": 880.0}
FAULTY_HZ = 660.0


class Ear:
    """The process of ear.py."""

    def __init__(self, environment: dict[str, str], name: str = "ear"):
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "ear.py"), name],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, line: str) -> dict:
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def wait_for(self, hz: float | None, message: tuple[int, ...] = (), silent: bool = False) -> dict:
        """Return once the tone is heard (None: any sound; `silent`: nothing).

        `message` is sent first, and again from time to time: a server that is late itself loses MIDI.
        """
        end, again = time.monotonic() + PATIENCE_S, 0.0
        while True:
            if message and time.monotonic() > again:
                self.ask("midi " + " ".join(map(str, message)))
                again = time.monotonic() + 2
            found = self.ask("hear 0.1")
            sounds = found["peak"] > 0.02
            if (silent and not sounds) or (sounds and not silent and (hz is None or abs(found["hz"] - hz) < 12)):
                return found
            assert time.monotonic() < end, f"waited in vain for {hz} Hz, heard {found}"

    def __enter__(self) -> "Ear":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Pull it out; safe to call twice."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


class Performance:
    """`noizestream play` in a pseudo-terminal."""

    def __init__(self, arguments: list[str], environment: dict[str, str], stats: Path):
        self.stats_file, self._terminal = stats, Terminal()
        self.terminal = self._terminal.slave
        self.process = start(["play", *arguments, "--stats", str(stats)], environment, terminal=self._terminal)

    @property
    def text(self) -> str:
        """Everything it has printed."""
        return self._terminal.text

    def wait_for(self, text: str, after: int = 0) -> int:
        """Return once `text` has been printed, counted from the place `after`; the place behind it."""
        end = time.monotonic() + PATIENCE_S
        while text not in self.text[after:]:
            assert self.process.poll() is None, f"it ended: {self.process.stderr.read()} {self.text[-500:]}"
            assert time.monotonic() < end, f"waited in vain for {text!r}: {self.text[-500:]}"
            time.sleep(0.01)
        return after + self.text[after:].index(text) + len(text)

    def end(self) -> None:
        """In any case."""
        termios.tcflow(self.terminal, termios.TCOON)
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def processes(self, library: str) -> list[int]:
        """Process ids of those that use it: libtorch steps models, _rtmidi listens."""
        return [pid for pid in children(self.process.pid) if maps(pid, library)]


@pytest.fixture(scope="module")
def stage(jack_server: JackServer, sine_model, tmp_path_factory) -> Iterator[tuple[JackServer, Performance, Ear, Ear]]:
    folder = tmp_path_factory.mktemp("faults")
    faulty = foreign.write(foreign.Faulty(), folder / "faulty.ts", foreign.FAULTY)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(JackServer(f"{jack_server.name}-faults"))
        ear, speakers = (stack.enter_context(Ear(server.environment, name)) for name in ("ear", "speakers"))
        for each in (ear, speakers):  # to PortAudio a JACK client that listens is a device
            each.ask("hear 0.01")  # it is there
        arguments = [str(sine_model), str(faulty), "-g", "A", "-t", "0", "-d", "speakers", "-m", "ear:keys"]
        arguments += ["--record", str(folder / "take.wav")]
        performance = Performance(arguments, server.environment, folder / "stats.json")
        stack.callback(performance.end)
        yield server, performance, ear, speakers


def test_it_plays(stage):
    _, performance, ear, _ = stage
    performance.wait_for("MIDI")
    assert ear.wait_for(TONES["A"])["channels"] == 2
    assert "mapped to 2" in performance.text  # the sine is mono


def test_a_worker_that_stalls_is_faded_and_catches_up(stage):
    _, performance, ear, _ = stage
    (worker,) = performance.processes("libtorch")[:1]
    os.kill(worker, signal.SIGSTOP)
    ear.wait_for(None, silent=True)
    with contextlib.suppress(ProcessLookupError):  # on a very busy machine it may have been given up meanwhile
        os.kill(worker, signal.SIGCONT)
    ear.wait_for(TONES["A"])


def test_a_worker_that_dies_is_followed_at_once(stage):
    _, performance, ear, _ = stage
    place = len(performance.text)
    for worker in performance.processes("libtorch")[:1]:
        os.kill(worker, signal.SIGKILL)
    performance.wait_for("another plays on", place)
    ear.wait_for(TONES["A"])


def test_a_controller_is_pulled_and_put_back(stage):
    _, performance, ear, _ = stage
    ear.wait_for(TONES["B"], message=(0xC0, 1))
    ear.ask("unplug")
    place = performance.wait_for("the MIDI port is gone")
    ear.wait_for(TONES["B"])
    ear.ask("plug")
    performance.wait_for("is back", place)
    ear.wait_for(TONES["C"], message=(0xC0, 2))


def test_the_midi_process_crashes_and_another_listens(stage):
    _, performance, ear, _ = stage
    place = len(performance.text)
    (listener,) = performance.processes("_rtmidi")
    os.kill(listener, signal.SIGSEGV)
    ear.wait_for(TONES["C"])
    performance.wait_for("is back", performance.wait_for("the MIDI process ended unexpectedly (exit code -11)", place))
    ear.wait_for(TONES["B"], message=(0xC0, 1))
    ear.wait_for(TONES["C"], message=(0xC0, 2))


def test_panic_silences_and_the_music_starts_afresh(stage):
    _, _, ear, _ = stage
    ear.wait_for(None, message=(0xB0, 9, 127), silent=True)
    ear.wait_for(TONES["C"], message=(0xB0, 9, 0))
    ear.wait_for(None, message=(0xB0, 120, 0), silent=True)
    ear.wait_for(TONES["C"])


def test_another_model_even_one_that_raises_and_returns_nan(stage):
    _, performance, ear, _ = stage
    ear.wait_for(FAULTY_HZ, message=(0xB0, 0, 1))
    performance.wait_for("faulty: Drone")  # the screen names the model and its genre
    ear.ask("hear 2")  # it fails every 100 blocks of 6 ms
    ear.wait_for(FAULTY_HZ)
    ear.wait_for(TONES["C"], message=(0xB0, 0, 0))


def test_a_full_disk_ends_the_recording_and_nothing_else(stage):
    _, performance, ear, _ = stage
    take = Path(performance.stats_file.parent / "take.wav")
    resource.prlimit(performance.process.pid, resource.RLIMIT_FSIZE, (take.stat().st_size + 100_000,) * 2)
    place = performance.wait_for("take.wav: the recording ends after")
    performance.wait_for("File too large", place - 50)
    ear.wait_for(TONES["C"])
    audio, rate = soundfile.read(take)
    assert rate == 48000 and len(audio) > rate and abs(audio).max() > 0.2


@pytest.mark.parametrize(("rate", "channels"), [(44100, 1), (88200, 2), (96000, 6)])
def test_the_audio_server_dies_and_comes_back_without_the_device_at_another_rate(stage, rate, channels):
    server, performance, ear, speakers = stage
    text = len(performance.text)
    speakers.close()  # the device that was asked for does not return: the default one plays
    server.kill()
    place = performance.wait_for("the audio device is gone", text)
    server.rate, server.channels = rate, channels
    server.__enter__()
    performance.wait_for(f"playing again on system (JACK Audio Connection Kit), {rate} Hz, {min(channels, 2)} channel", place)
    performance.wait_for("ear:keys", performance.wait_for("the MIDI port is gone", text))
    heard = ear.wait_for(TONES["C"])
    assert heard["rate"] == rate and heard["channels"] == min(channels, 2)


def test_the_device_that_was_asked_for_is_played_again_when_it_is_back(stage):
    server, performance, ear, _ = stage
    place = len(performance.text)
    with Ear(server.environment, "speakers"):
        performance.wait_for("playing again on speakers", place)
        ear.wait_for(TONES["C"])


def test_a_terminal_that_hangs_and_a_signal_at_the_end(stage):
    _, performance, ear, _ = stage
    termios.tcflow(performance.terminal, termios.TCOOFF)
    ear.wait_for(TONES["A"], message=(0xC0, 0))
    performance.process.send_signal(signal.SIGTERM)
    assert performance.process.wait(PATIENCE_S) == 130
    assert performance.process.stderr.read() == ""
    stats = json.loads(performance.stats_file.read_text())
    assert stats["underruns"] >= 1 and stats["resets"] >= 2 and stats["midi_losses"] >= 1
    assert stats["midi_restarts"] == 1
    assert stats["worker_restarts"] >= 1 and stats["device_losses"] >= 2 and stats["model_switches"] == 2
    assert stats["recorded_s"] > 1


def test_another_default_device_is_taken_once_the_one_before_has_gone(jack_server, sine_model, tmp_path):
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(JackServer(f"{jack_server.name}-default"))
        ear = stack.enter_context(Ear(server.environment))
        ear.ask("hear 0.01")  # it is there
        performance = Performance([str(sine_model), "-g", "B", "-t", "0"], server.environment, tmp_path / "stats.json")
        stack.callback(performance.end)
        place = performance.wait_for("system (JACK Audio Connection Kit)")
        ear.wait_for(TONES["B"])
        server.kill()
        server.channels = 0  # it has no output of its own any more: whoever listens is the default
        server.__enter__()
        performance.wait_for("playing again on ear (JACK Audio Connection Kit)", place)
        ear.wait_for(TONES["B"])
        performance.process.send_signal(signal.SIGTERM)
        assert performance.process.wait(PATIENCE_S) == 130
        assert json.loads(performance.stats_file.read_text())["device_losses"] >= 1
