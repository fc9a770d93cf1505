"""The state of a performance: which genre, which control values, which volume; every change is sent on at once."""

import threading
from collections.abc import Callable, Sequence

from noizestream.control.midi_map import Action, ChooseGenre
from noizestream.metadata import Metadata
from noizestream.parameters import VOLUME

Send = Callable[[Sequence[float], Sequence[float]], object]
"""Takes the genre weights `[G]` and the model's control values `[K]`; the worker's `set_controls`."""


def gains(volume_db: float) -> tuple[float, float]:
    """Split a volume in dB into (attenuation at most 1, boost at least 1), linear; the lowest volume is silence."""
    gain = 0.0 if volume_db <= VOLUME.minimum else 10 ** (volume_db / 20)
    return min(gain, 1.0), max(gain, 1.0)


class LiveState:
    """Owns the live values of a model. `connect` names who hears of changes; safe to call from several threads."""

    def __init__(self, metadata: Metadata, weights: Sequence[float], values: dict[str, float] | None = None):
        self.metadata = metadata
        self.weights = list(weights)
        self.values = [(values or {}).get(row["name"], row["default"]) for row in metadata.controls]
        self.volume_db = VOLUME.default
        self.refused = 0
        self._send: Send = lambda weights, values: None
        self._set_gains: Callable[[float, float], None] = lambda attenuation, boost: None
        self._lock = threading.Lock()

    def connect(self, send: Send, set_gains: Callable[[float, float], None]) -> None:
        """From now on hand every change to `send` and `set_gains`; both are called once with what holds now."""
        with self._lock:
            self._send, self._set_gains = send, set_gains
            send(self.weights, self.values)
            set_gains(*gains(self.volume_db))

    def apply(self, action: Action) -> None:
        """Do what `action` asks. A control that this model does not have is counted in `refused`."""
        with self._lock:
            if isinstance(action, ChooseGenre):
                self.weights = [float(index == action.index) for index in range(len(self.metadata.genres))]
            elif action.name == VOLUME.name:
                self.volume_db = action.value
                self._set_gains(*gains(action.value))
                return
            else:
                names = [row["name"] for row in self.metadata.controls]
                if action.name not in names:
                    self.refused += 1
                    return
                index = names.index(action.name)
                row = self.metadata.controls[index]
                self.values[index] = min(max(action.value, row["min"]), row["max"])
            self._send(self.weights, self.values)

    def genre(self) -> str:
        """Name of the genre that plays, or the mix: `Jazz`, `Jazz 70 % Folk 30 %`."""
        parts = [(weight, name) for weight, name in zip(self.weights, self.metadata.genres, strict=True) if weight > 0]
        if len(parts) == 1:
            return parts[0][1]
        return " ".join(f"{name} {100 * weight:.0f} %" for weight, name in sorted(parts, reverse=True))

    def value(self, name: str) -> float | None:
        """The value of the model's control `name`, None if it has none of that name."""
        for row, value in zip(self.metadata.controls, self.values, strict=True):
            if row["name"] == name:
                return value
        return None
