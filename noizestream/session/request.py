"""What is asked of a session, before anything opens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from noizestream.errors import UsageError, option

LATENCIES = {"low": 0.030, "default": 0.058, "high": 0.120}
"""Seconds of sound kept ready by name, measured in docs/playing.md: the first thing to raise where there are underruns."""

LATENCY_RANGE = (0.005, 2.0)

ALL_CHANNELS = "all"
CHANNELS = [str(number) for number in range(1, 17)]

LOCALHOST = "127.0.0.1"


@dataclass(frozen=True)
class SessionRequest:
    """What a `Session` plays, and how; every field has a default.

    `models` are files or names of bundled models (none: the bundled one); the first plays. `genre` is what it begins with, a name
    or a mix such as `Jazz:0.5,Folk:0.5`; `controls` are values by name, numbers or texts (`{"chord": "Am"}`). `device` and `midi`
    are parts of a name or a number, None for the default; `virtual` makes a MIDI port, which others connect to, in place of that.
    `channel` is the MIDI channel that is listened to, 1 to 16 or `"all"`, `chords` are the keys that name chords: a channel (`"2"`)
    or a zone (`"C3-C5"`). `latency` is how much sound is kept ready: low, default, high or seconds. `prime` is a recording that the
    first model goes on from, `record` a WAV to be written. `osc` is where OSC is listened to: a port, for this machine alone, or
    `HOST:PORT`. `map` says what the controls of the controller do: a map file, or the name of one (None: what the table of
    parameters says). UsageError for a channel, a latency, a seed or a port out of range.
    """

    models: Sequence[str | Path] = ()
    genre: str | None = None
    controls: Mapping[str, float | str] = field(default_factory=dict)
    device: str | None = None
    midi: str | None = None
    virtual: bool = False
    channel: str | int = ALL_CHANNELS
    chords: str | None = None
    latency: str | float = "default"
    seed: int = 0
    prime: str | Path | None = None
    record: str | Path | None = None
    osc: str | int | None = None
    map: str | Path | None = None

    def __post_init__(self) -> None:
        """Raise UsageError for what is out of range whatever the model."""
        latency_seconds(self.latency)
        channel_number(self.channel)
        if self.osc is not None:
            osc_place(self.osc)
        if self.virtual and self.midi is not None:
            raise UsageError(f"{option('virtual')}: it makes a MIDI port, leave {option('midi')} out")
        if self.seed < 0:
            raise UsageError(f"{option('seed')}: {self.seed} is out of range, give 0 or more")

    @property
    def kept_s(self) -> float:
        """Seconds of sound to keep ready."""
        return latency_seconds(self.latency)

    @property
    def only_channel(self) -> int | None:
        """The MIDI channel that is listened to, 0 to 15 as its bytes have it, None for all."""
        return channel_number(self.channel)

    @property
    def exact(self) -> bool:
        """Whether as little sound as can be played at all may be kept ready: where the latency is given in seconds."""
        return self.latency not in LATENCIES

    @property
    def device_latency(self) -> str:
        """The latency that the audio device is asked for: `low` or `high`."""
        return "high" if self.latency == "high" else "low"


def latency_seconds(asked: str | float) -> float:
    """Return the seconds of sound to keep ready for the latency `asked`, a name or seconds; UsageError for anything else."""
    if asked in LATENCIES:
        return LATENCIES[str(asked)]
    low, high = LATENCY_RANGE
    try:
        seconds = float(asked)
    except ValueError:
        seconds = -1.0
    if not low <= seconds <= high:
        raise UsageError(f"{option('latency')}: {asked} is not possible, give low, high or {low:g} to {high:g} seconds")
    return seconds


def channel_number(asked: str | int) -> int | None:
    """Return the channel, 0 to 15, of the one `asked` for, 1 to 16, and None for `"all"`; UsageError for anything else."""
    if asked == ALL_CHANNELS:
        return None
    if str(asked) not in CHANNELS:
        raise UsageError(f"{option('channel')}: {asked} is not possible, give {CHANNELS[0]} to {CHANNELS[-1]} or {ALL_CHANNELS}")
    return CHANNELS.index(str(asked))


def osc_place(asked: str | int) -> tuple[str, int]:
    """Return the host and port of `asked`, `[HOST:]PORT`; without a host this machine alone. UsageError for anything else."""
    host, colon, port = str(asked).rpartition(":")
    if not (port.isascii() and port.isdecimal() and int(port) < 65536) or (colon and not host):
        raise UsageError(f"{option('osc')}: {asked} is not possible, give a port up to 65535, or HOST:PORT such as 0.0.0.0:9000")
    return host or LOCALHOST, int(port)
