"""Nothing stops the set: every fault that a stage has is provoked in one performance, and the music goes on.

One `play` on a JACK server of its own, in a pseudo-terminal, with a second model and a recording. Each test finds it playing A, in
whatever order they come; where one has ended it or taken away what another needs, that begins a new one.
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
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from noizestream.system import machine
from rig.harness import HERE, Terminal, start
from rig.jack_server import JackServer
from rig.waiting import PATIENCE_S, wait_for
from tests import foreign_models as foreign
from tests.processes import children, maps

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

    @property
    def there(self) -> bool:
        """Whether it is still plugged in."""
        return self._process.poll() is None

    def close(self) -> None:
        """Pull it out; safe to call twice."""
        if self.there:
            self._process.kill()
            self._process.communicate()


class Performance:
    """`noizestream play` in a pseudo-terminal."""

    def __init__(self, arguments: list[str], environment: dict[str, str], stats: Path):
        self.stats_file, self._terminal = stats, Terminal()
        self.terminal = self._terminal.slave
        self.process = start(["play", *arguments, "--stats", str(stats)], environment, terminal=self._terminal)
        self.changed = False  # it lacks the device or the recording with which it began
        self.happened: Counter[str] = Counter()  # what its statistics must count at least

    @property
    def text(self) -> str:
        """Everything it has printed."""
        return self._terminal.text

    def wait_for(self, text: str, after: int = 0) -> int:
        """Return once `text` has been printed, counted from the place `after`; the place behind it."""

        def printed() -> bool:
            if text in self.text[after:]:
                return True
            assert self.process.poll() is None, f"it ended: {self.process.stderr.read()} {self.text[-500:]}"
            return False

        wait_for(printed, lambda: f"{text!r}: {self.text[-500:]}", every_s=0.01)
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


Stage = tuple[JackServer, Performance, Ear, Ear]


class Stages:
    """One performance after the other: as long as a test leaves it as it was, the next goes on with it."""

    def __init__(self, server: JackServer, models: list[str], folder: Path):
        self.server, self.models, self.folder = server, models, folder
        self._open = contextlib.ExitStack()
        self._begun: Stage | None = None

    def get(self, as_begun: bool) -> Stage:
        """What plays, at A; `as_begun`: on the device that was asked for, and it records."""
        if self._begun is not None:
            performance = self._begun[1]
            if performance.process.poll() is not None or (as_begun and performance.changed):
                self.end()
        stage = self._begun = self._begun or self._begin()
        stage[2].wait_for(TONES["A"], message=(0xC0, 0))
        return stage

    def _begin(self) -> Stage:
        self.folder.joinpath("take.wav").unlink(missing_ok=True)
        server = self._open.enter_context(JackServer(f"{self.server.name}-faults"))
        ear, speakers = (self._open.enter_context(Ear(server.environment, name)) for name in ("ear", "speakers"))
        for each in (ear, speakers):  # to PortAudio a JACK client that listens is a device
            each.ask("hear 0.01")  # it is there
        arguments = [*self.models, "-g", "A", "-t", "0", "-d", "speakers", "-m", "ear:keys"]
        arguments += ["--record", str(self.folder / "take.wav")]
        performance = Performance(arguments, server.environment, self.folder / "stats.json")
        self._open.callback(performance.end)
        performance.wait_for("MIDI")
        return server, performance, ear, speakers

    def end(self) -> None:
        self._begun = None
        self._open.close()


@pytest.fixture(scope="module")
def stages(jack_server: JackServer, sine_model, tmp_path_factory) -> Iterator[Stages]:
    folder = tmp_path_factory.mktemp("faults")
    faulty = foreign.write(foreign.Faulty(), folder / "faulty.ts", foreign.FAULTY)
    made = Stages(jack_server, [str(sine_model), str(faulty)], folder)
    yield made
    made.end()


@pytest.fixture
def stage(stages: Stages, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A performance as it began, at A."""
    failed = request.session.testsfailed
    yield stages.get(as_begun=True)
    if request.session.testsfailed > failed:  # nobody knows what it left
        stages.end()


@pytest.fixture
def late_stage(stages: Stages, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A performance at A, on whatever device, whether or not it still records."""
    failed = request.session.testsfailed
    yield stages.get(as_begun=False)
    if request.session.testsfailed > failed:
        stages.end()


def test_it_plays(stage):
    _, performance, ear, _ = stage
    assert ear.wait_for(TONES["A"])["channels"] == 2
    assert "mapped to 2" in performance.text  # the sine is mono


def test_a_worker_that_stalls_is_faded_and_catches_up(stage):
    _, performance, ear, _ = stage
    (worker,) = performance.processes("libtorch")[:1]
    os.kill(worker, signal.SIGSTOP)
    ear.wait_for(None, silent=True)
    with contextlib.suppress(ProcessLookupError):  # on a very busy machine it may have been given up meanwhile
        os.kill(worker, signal.SIGCONT)
    performance.happened["underruns"] += 1
    ear.wait_for(TONES["A"])


def test_a_worker_that_dies_is_followed_at_once(stage):
    _, performance, ear, _ = stage
    place = len(performance.text)
    for worker in performance.processes("libtorch")[:1]:
        os.kill(worker, signal.SIGKILL)
    performance.wait_for("another plays on", place)
    performance.happened["worker_restarts"] += 1
    ear.wait_for(TONES["A"])


def test_a_controller_is_pulled_and_put_back(stage):
    _, performance, ear, _ = stage
    ear.wait_for(TONES["B"], message=(0xC0, 1))
    place = len(performance.text)
    ear.ask("unplug")
    place = performance.wait_for("the MIDI port is gone", place)
    performance.happened["midi_losses"] += 1
    ear.wait_for(TONES["B"])
    ear.ask("plug")
    performance.wait_for("is back", place)
    ear.wait_for(TONES["C"], message=(0xC0, 2))


def test_the_midi_process_crashes_and_another_listens(stage):
    _, performance, ear, _ = stage
    place = len(performance.text)
    (listener,) = performance.processes("_rtmidi")
    os.kill(listener, signal.SIGSEGV)
    performance.happened["midi_restarts"] += 1
    ear.wait_for(TONES["A"])
    performance.wait_for("is back", performance.wait_for("the MIDI process ended unexpectedly (exit code -11)", place))
    ear.wait_for(TONES["B"], message=(0xC0, 1))
    ear.wait_for(TONES["C"], message=(0xC0, 2))


def test_a_system_that_opens_nothing_more_for_a_while(stage):
    """Too many files: no process can be started in place of one that has ended, until there is room again."""
    _, performance, ear, _ = stage
    pid, place = performance.process.pid, len(performance.text)
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
    (listener,) = performance.processes("_rtmidi")
    os.kill(listener, signal.SIGKILL)
    place = performance.wait_for("the MIDI process ended unexpectedly (exit code -9)", place)
    performance.happened["midi_restarts"] += 1
    ear.ask("hear 2")  # it is tried again every second
    ear.wait_for(TONES["A"])
    assert not performance.processes("_rtmidi")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    performance.wait_for("is back", place)
    ear.wait_for(TONES["B"], message=(0xC0, 1))
    ear.wait_for(TONES["C"], message=(0xC0, 2))


def test_all_notes_off_is_no_panic(stage):
    _, _, ear, _ = stage
    for _ in range(5):
        ear.ask("midi 176 123 0")
        assert ear.ask("hear 0.1")["peak"] > 0.02


def test_panic_silences_and_the_music_starts_afresh(stage):
    _, performance, ear, _ = stage
    ear.wait_for(None, message=(0xB0, 9, 127), silent=True)
    ear.wait_for(TONES["A"], message=(0xB0, 9, 0))
    ear.wait_for(None, message=(0xB0, 120, 0), silent=True)
    ear.wait_for(TONES["A"])
    performance.happened["resets"] += 1


def test_balance_takes_a_side_away_and_gives_it_back(stage):
    """The ear listens to the left."""
    _, _, ear, _ = stage
    ear.wait_for(None, message=(0xB0, 8, 127), silent=True)
    ear.wait_for(TONES["A"], message=(0xB0, 8, 0))
    ear.wait_for(TONES["A"], message=(0xB0, 8, 64))


def test_another_model_even_one_that_raises_and_returns_nan(stage):
    _, performance, ear, _ = stage
    ear.wait_for(FAULTY_HZ, message=(0xB0, 0, 1))
    performance.wait_for("faulty: Drone")  # the screen names the model and its genre
    ear.ask("hear 2")  # it fails every 100 blocks of 6 ms
    ear.wait_for(FAULTY_HZ)
    ear.wait_for(TONES["A"], message=(0xB0, 0, 0))
    performance.happened.update({"model_switches": 2, "resets": 1})


def test_a_full_disk_ends_the_recording_and_nothing_else(stage):
    _, performance, ear, _ = stage
    take = Path(performance.stats_file.parent / "take.wav")
    performance.changed = True
    wait_for(lambda: take.stat().st_size > 6 * 48000, "a second of a recording")
    resource.prlimit(performance.process.pid, resource.RLIMIT_FSIZE, (take.stat().st_size + 100_000,) * 2)
    place = performance.wait_for("take.wav: the recording ends after")
    performance.wait_for("File too large", place - 50)
    performance.happened["recorded_s"] = 1
    ear.wait_for(TONES["A"])
    audio, rate = soundfile.read(take)
    assert rate == 48000 and len(audio) > rate and abs(audio).max() > 0.2


def restart_without_speakers(stage: Stage, rate: int, channels: int) -> None:
    """The server dies, and comes back without the device that was asked for and at another rate: the default one plays."""
    server, performance, _, speakers = stage
    performance.changed, text = True, len(performance.text)
    speakers.close()
    server.kill()
    place = performance.wait_for("the audio device is gone", text)
    server.rate, server.channels = rate, channels
    server.__enter__()
    performance.wait_for(f"playing again on system (JACK Audio Connection Kit), {rate} Hz, {min(channels, 2)} channel", place)
    performance.wait_for("ear:keys", performance.wait_for("the MIDI port is gone", text))
    performance.happened.update({"device_losses": 1, "midi_losses": 1})


@pytest.mark.parametrize(("rate", "channels"), [(44100, 1), (88200, 2), (96000, 6)])
def test_the_audio_server_dies_and_comes_back_without_the_device_at_another_rate(late_stage, rate, channels):
    restart_without_speakers(late_stage, rate, channels)
    heard = late_stage[2].wait_for(TONES["A"])
    assert heard["rate"] == rate and heard["channels"] == min(channels, 2)


def test_the_device_that_was_asked_for_is_played_again_when_it_is_back(late_stage):
    """Also where the process that looks for it has died meanwhile."""
    server, performance, ear, speakers = late_stage
    if speakers.there:
        restart_without_speakers(late_stage, 44100, 2)
    place = len(performance.text)
    wait_for(lambda: len(performance.processes("libportaudio")) == 2, "the process that looks for it beside the one that plays")
    os.kill(max(performance.processes("libportaudio"), key=machine.started), signal.SIGKILL)
    with Ear(server.environment, "speakers"):
        performance.wait_for("playing again on speakers", place)
        ear.wait_for(TONES["A"])


def test_a_terminal_that_hangs_and_a_signal_at_the_end(late_stage):
    _, performance, ear, _ = late_stage
    termios.tcflow(performance.terminal, termios.TCOOFF)
    ear.wait_for(TONES["B"], message=(0xC0, 1))
    performance.process.send_signal(signal.SIGTERM)
    assert performance.process.wait(PATIENCE_S) == 130
    assert performance.process.stderr.read() == ""
    stats = json.loads(performance.stats_file.read_text())
    assert stats["recorded_s"] > 0 and stats["blocks"] > 0 and stats["midi_errors"] == 0
    assert {name: stats[name] for name, least in performance.happened.items() if stats[name] < least} == {}
    assert stats["model_switches"] == performance.happened["model_switches"]


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
