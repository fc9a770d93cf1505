"""What holds in a session at one moment: all that a status line, a full screen or a page shows."""

from dataclasses import dataclass
from typing import Any

from noizestream.control.state import LiveState
from noizestream.devices.rtmidi import MidiPort
from noizestream.modelfile.metadata import Metadata


@dataclass(frozen=True)
class Device:
    """The audio device, how it is opened, and how many frames it asks for at once.

    `compiled` says whether its callback is machine code; without numba it is Python's, which only copies.
    """

    name: str
    host: str
    rate: int
    channels: int
    period_frames: int
    compiled: bool


@dataclass(frozen=True)
class Latency:
    """Milliseconds on the way from a key to the sound (`midi`, `change`, `device`, `model`), and `ring`, the sound kept ready."""

    midi: float
    change: float
    device: float
    model: float
    ring: float

    @property
    def control(self) -> float:
        """Milliseconds from a MIDI message to its sound: the sum of the parts."""
        return self.midi + self.change + self.device + self.model


@dataclass(frozen=True)
class SessionStatus:
    """A session at one moment.

    `model` is the place in `models` of the one that plays, `genre` its genre or mix in words, `genre_weights` `[G]` the same in
    numbers. `controls` are all values by name, in their units: those of the model and those of the output. `changed` says which
    are not at their defaults, in words. `device` and `midi_port` are what plays and is listened to, or what did last. `loading`
    names a model that was asked for and does not play yet. `peak` is linear, the largest since the status before; `load` is 1
    where a block takes as long to make as to play; `ring_ms` is the sound that is ready. `osc` is the host and port where OSC is
    listened to. Counts are those so far.
    """

    models: tuple[Metadata, ...]
    model: int
    genre: str
    genre_weights: tuple[float, ...]
    controls: dict[str, float]
    changed: tuple[str, ...]
    playing: bool = False
    seconds: float = 0.0
    precision: str = "float32"
    loading: str | None = None
    device: Device | None = None
    latency: Latency | None = None
    peak: float = 0.0
    ring_ms: float = 0.0
    load: float = 0.0
    underruns: int = 0
    device_losses: int = 0
    midi_port: MidiPort | None = None
    midi_messages: int = 0
    midi_ignored: int = 0
    midi_errors: int = 0
    midi_losses: int = 0
    osc: tuple[str, int] | None = None
    osc_messages: int = 0
    osc_refused: int = 0
    recording: bool = False
    recorded_s: float = 0.0

    @property
    def metadata(self) -> Metadata:
        """The model that plays."""
        return self.models[self.model]


def controls_of(state: LiveState) -> dict[str, Any]:
    """Return the fields of a `SessionStatus` that `state` answers at any time, from any thread."""
    model = state.current
    return {
        "models": tuple(state.models),
        "model": model,
        "genre": state.genre(),
        "genre_weights": tuple(state.weights_of(model)),
        "controls": state.by_name(),
        "changed": tuple(state.changed()),
    }
