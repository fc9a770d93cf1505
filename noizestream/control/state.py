"""The state of a performance: which model, which genre, which control values, which volume; every change is sent on at once."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from noizestream.control.midi_map import Action, ChooseGenre
from noizestream.control.parameters import BY_NAME, MODEL, MUTE, PANIC, VOLUME
from noizestream.control.settings import changed
from noizestream.modelfile.metadata import Metadata


class Player(Protocol):
    """Who plays a model: the worker."""

    def set_controls(self, genre_weights: Sequence[float], controls: Sequence[float], /) -> object:
        """Take the genre weights `[G]` and the model's control values `[K]`."""

    def panic(self) -> object:
        """Silence at once, then a fresh state."""


def gains(volume_db: float, mute: bool = False) -> tuple[float, float]:
    """Split a volume in dB into (attenuation at most 1, boost at least 1), linear; the lowest volume is silence."""
    gain = 0.0 if mute or volume_db <= VOLUME.minimum else 10 ** (volume_db / 20)
    return min(gain, 1.0), max(gain, 1.0)


class LiveState:
    """Owns the live values over all models. `connect` names who hears of changes; safe to call from several threads.

    The genre belongs to each model, control values (by name) and volume to all. A model is asked for with the parameter `model`,
    and plays once somebody calls `switch`; what is chosen as genre in between is meant for the model that was asked for.
    """

    def __init__(
        self,
        models: Metadata | Sequence[Metadata],
        weights: Sequence[float] | None = None,
        values: Mapping[str, float] | None = None,
    ):
        """`weights` `[G]` are the first model's (None: its first genre), `values` those of controls, by name."""
        self.models = [models] if isinstance(models, Metadata) else list(models)
        self.current = self.wanted = 0
        self.volume_db, self.mute, self.refused = VOLUME.default, False, 0
        self._weights = [model.genre_weights() for model in self.models]
        if weights is not None:
            self._weights[0] = list(weights)
        self._values = dict(values or {})
        self._player: Player | None = None
        self._set_gains: Callable[[float, float], None] = lambda attenuation, boost: None
        self._lock = threading.Lock()

    @property
    def metadata(self) -> Metadata:
        """The model that plays."""
        return self.models[self.current]

    @property
    def weights(self) -> list[float]:
        """Genre weights `[G]` of the model that plays."""
        return self._weights[self.current]

    @property
    def values(self) -> list[float]:
        """Control values `[K]` of the model that plays."""
        return self.values_of(self.current)

    def weights_of(self, model: int) -> list[float]:
        """Genre weights `[G]` as they hold for that model."""
        return self._weights[model]

    def values_of(self, model: int) -> list[float]:
        """Control values `[K]` as they hold for that model, within its ranges; a genre that it does not have is its default."""
        return [_within(row, self._values.get(row["name"], row["default"])) for row in self.models[model].controls]

    def connect(self, player: Player, set_gains: Callable[[float, float], None]) -> None:
        """From now on hand every change to `player` and `set_gains`; both hear at once what holds now."""
        with self._lock:
            self._set_gains = set_gains
            self._hand_over(player)

    def disconnect(self) -> None:
        """Nobody hears of changes any more; what holds is still kept."""
        with self._lock:
            self._player, self._set_gains = None, lambda attenuation, boost: None

    def switch(self, model: int, player: Player) -> None:
        """From now on `model` plays, by `player`; it hears at once what holds for that model."""
        with self._lock:
            self.current = model
            self._hand_over(player)

    def refuse(self, model: int) -> None:
        """`model` cannot be played: whoever asked for it stays with the one that plays."""
        with self._lock:
            if self.wanted == model:
                self.wanted = self.current
            self.refused += 1

    def mix(self, weights: Sequence[float]) -> None:
        """Choose genre weights `[G]`, which sum to 1, for the model that is asked for."""
        with self._lock:
            self._weights[self.wanted] = list(weights)
            if self.wanted == self.current:
                self._send()

    def apply(self, action: Action) -> None:
        """Do what `action` asks. A control or a model that is not there is counted in `refused`."""
        with self._lock:
            if isinstance(action, ChooseGenre):
                self._choose(action.index)
            elif action.name in (VOLUME.name, MUTE.name):
                if action.name == VOLUME.name:
                    self.volume_db = action.value
                else:
                    self.mute = action.value > 0
                self._set_gains(*gains(self.volume_db, self.mute))
            elif action.name == PANIC.name:
                if self._player is not None:
                    self._player.panic()
            elif action.name == MODEL.name:
                if action.value < len(self.models):
                    self.wanted = int(action.value)
                else:
                    self.refused += 1
            else:
                self._set(action.name, action.value)

    def genre(self) -> str:
        """Name of the genre that plays, or the mix: `Jazz`, `Jazz 70 % Folk 30 %`."""
        with self._lock:
            pairs = list(zip(self.weights, self.metadata.genres, strict=True))
        parts = [(weight, name) for weight, name in pairs if weight > 0]
        if len(parts) == 1:
            return parts[0][1]
        return " ".join(f"{name} {100 * weight:.0f} %" for weight, name in sorted(parts, reverse=True))

    def changed(self) -> list[str]:
        """What of the model that plays is not at its default, as `settings.changed` says it."""
        with self._lock:
            return changed(self.metadata, self.values)

    def value(self, name: str) -> float | None:
        """The value of the model's control `name`, None if it has none of that name."""
        with self._lock:
            return dict(zip((row["name"] for row in self.metadata.controls), self.values, strict=True)).get(name)

    def _set(self, name: str, value: float) -> None:
        """Set the control `name` of the model that plays. A count is not set, whatever `value`: it goes on by one, and round."""
        row = next((row for row in self.metadata.controls if row["name"] == name), None)
        kind = BY_NAME[name].kind if name in BY_NAME else "value"
        if row is None or (kind == "genre" and value > row["max"]):
            self.refused += 1
            return
        if kind == "count":
            value = self._values.get(name, row["default"]) + 1
            value = row["min"] if value > row["max"] else value
        self._values[name] = value
        self._send()

    def _choose(self, genre: int) -> None:
        model = self.models[self.wanted]
        if genre >= len(model.genres):
            self.refused += 1
            return
        self._weights[self.wanted] = [float(index == genre) for index in range(len(model.genres))]
        if self.wanted == self.current:
            self._send()

    def _hand_over(self, player: Player) -> None:
        self._player = player
        self._send()
        self._set_gains(*gains(self.volume_db, self.mute))

    def _send(self) -> None:
        if self._player is not None:
            self._player.set_controls(self.weights, self.values)


def _within(control: Mapping[str, Any], value: float) -> float:
    """`value` as the model that declares `control` takes it."""
    if control["name"] in BY_NAME and BY_NAME[control["name"]].kind == "genre" and value > control["max"]:
        return control["default"]
    return min(max(value, control["min"]), control["max"])
