"""The device of a session, with audio processes that the test speaks for."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from noizestream.devices.audio_process import DeviceRequest, Found, Opened
from noizestream.devices.portaudio import OutputDevice
from noizestream.errors import NoizestreamError
from noizestream.realtime.output_bus import OutputBus
from noizestream.session import output
from noizestream.session.output import SETTLED, OutputSession


def found(name: str) -> Found:
    return Found(OutputDevice(0, name, "Host", 2, 48000, 0.01, 0.02, False), 48000, 2)


class Audio:
    """One audio process: what `poll` returns or raises next is in `says`."""

    made: list["Audio"]
    refusing = False

    def __init__(self, request: DeviceRequest):
        self.asked, self.aside, self.says, self.lost, self.closed = request.asked, request.aside, None, False, False

    def open(self) -> "Audio":
        if Audio.refusing:
            raise NoizestreamError("the audio process cannot be started")
        Audio.made.append(self)
        return self

    def poll(self) -> Found | Opened | None:
        if self.closed:
            raise NoizestreamError("the audio process ended unexpectedly")
        says, self.says = self.says, None
        if isinstance(says, Exception):
            raise says
        return says

    def open_device(self, bus: OutputBus, rings: object) -> None:
        self.says = Opened(0.01, True)

    def close(self, gone: bool = False) -> None:
        self.closed = True


class Players:
    """Players that are always ready."""

    worker = SimpleNamespace(change_frames=100, ring=SimpleNamespace(main=SimpleNamespace(target=1000)))
    period, silent = 0, True

    def settle(self, period: int, latency: int) -> None:
        self.period = period

    def ready(self) -> bool:
        return True

    def rings(self) -> dict:
        return {}

    def shape(self, *_: object) -> None: ...

    play = stop = shape


@pytest.fixture
def show(monkeypatch) -> Iterator[OutputSession]:
    """An output session that was asked for speakers, before it looks for them."""
    Audio.made, Audio.refusing = [], False
    monkeypatch.setattr(output, "AudioProcess", Audio)
    monkeypatch.setattr(output, "AGAIN_S", 0.0)
    monkeypatch.setattr(output, "LOOK_ASIDE_S", 0.0)
    model = SimpleNamespace(channels=2, sample_rate=48000, latency_frames=0)
    state = SimpleNamespace(models=[model], metadata=model, disconnect=lambda: None)
    listener = SimpleNamespace(said=[])
    for name in ("device_found", "device_plays", "device_lost", "device_changed"):
        setattr(listener, name, lambda *what, name=name: listener.said.append((name, *what)))
    bus = OutputBus.create(2, 0, "callback")
    made = OutputSession("speakers", "low", state, Players(), listener)
    made.open(bus)
    made.said = listener.said
    yield made
    bus.close()


def play_on(show: OutputSession, name: str) -> None:
    """The process that looks finds `name`, and it plays."""
    show.sound.says = found(name)
    for _ in range(3):
        show.tick()
    show.bus.callback.bursts += SETTLED
    show.bus.callback.period = 256
    show.tick()
    assert show.playing


def test_who_looks_for_the_device_that_was_asked_for_is_replaced_however_often_it_dies(show):
    play_on(show, "speakers")
    show.sound.lost = True
    show.tick()
    play_on(show, "default")
    for _ in range(3):
        show.tick()
        scout = Audio.made[-1]
        assert scout.aside and scout.asked == "speakers" and not scout.closed
        scout.says = NoizestreamError("the audio process ended unexpectedly")
        show.tick()
        assert scout.closed and show.playing
    show.tick()
    scout = Audio.made[-1]
    assert not scout.closed and show.sound is not scout
    scout.says = found("speakers")
    for _ in range(2):
        show.tick()
    assert show.sound is scout, "the last of them finds it, and it is played again"


def test_nobody_is_sent_out_while_the_device_that_was_asked_for_plays(show):
    play_on(show, "speakers")
    for _ in range(3):
        show.tick()
    assert len(Audio.made) == 1


def test_a_device_that_goes_while_no_process_can_be_started_is_looked_for_later(show):
    play_on(show, "speakers")
    Audio.refusing, show.sound.lost = True, True
    for _ in range(3):
        show.tick()
    assert not show.playing and show.losses == 1
    Audio.refusing = False
    show.tick()
    play_on(show, "speakers")


def test_a_scout_that_cannot_be_started_is_sent_out_later(show):
    play_on(show, "speakers")
    show.sound.lost = True
    show.tick()
    play_on(show, "default")
    Audio.refusing = True
    show.tick()
    Audio.refusing = False
    show.tick()
    assert Audio.made[-1].aside and show.playing


def test_a_period_that_grows_is_followed_and_one_that_shrinks_is_left_alone(show):
    play_on(show, "speakers")
    for period in (128, 256, 1024, 512):
        show.bus.callback.period = period
        show.tick()
    assert show.players.period == 1024 and [what for what in show.said if what[0] == "device_changed"] == [("device_changed", 1024)]
