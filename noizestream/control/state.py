"""The state of a performance: which model, which genre, what every control is at; every change is sent on at once."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from noizestream.control.midi_map import Action, ChooseGenre
from noizestream.control.parameter import Acts
from noizestream.control.parameters import BY_NAME, MODEL, PANIC, PARAMETERS
from noizestream.control.settings import changed
from noizestream.modelfile.metadata import Metadata


class Player(Protocol):
    """Who plays a model: the worker."""

    def set_controls(self, genre_weights: Sequence[float], controls: Sequence[float], /) -> object:
        """Take the genre weights `[G]` and the model's control values `[K]`."""

    def panic(self) -> object:
        """Silence at once, then a fresh state."""


Output = Callable[[Mapping[str, float]], None]
"""Takes the values, by name, of all that acts on the output."""


class LiveState:
    """Owns the live values over all models. `connect` names who hears of changes; safe to call from several threads.

    The genre belongs to each model, the values of controls, by name, to all. A model is asked for with the parameter `model`,
    and plays once somebody calls `switch`; what is chosen as genre in between is meant for the model that was asked for.

    Where a row of the table says that it acts decides what becomes of a value: the model's are handed to the player, the output's
    to the output, and each of the session's has a function of its own here.
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
        self.refused = 0
        self._weights = [model.genre_weights() for model in self.models]
        if weights is not None:
            self._weights[0] = list(weights)
        self._values = dict(values or {})
        self._levels = {row.name: row.default for row in PARAMETERS if row.acts == "output"}
        self._player: Player | None = None
        self._output: Output | None = None
        self._lock = threading.Lock()
        self._act: dict[Acts, Callable[[str, float], None]] = {"model": self._set, "output": self._level, "session": self._ask}
        self._asked: dict[str, Callable[[float], None]] = {MODEL.name: self._want, PANIC.name: self._panic}

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

    def connect(self, player: Player, output: Output) -> None:
        """From now on hand every change to `player` and `output`; both hear at once what holds now."""
        with self._lock:
            self._output = output
            self._hand_over(player)

    def disconnect(self) -> None:
        """Nobody hears of changes any more; what holds is still kept."""
        with self._lock:
            self._player = self._output = None

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

    def mix(self, weights: Sequence[float], model: int | None = None) -> None:
        """Choose genre weights `[G]`, which sum to 1, for the model number `model`; None: for the one that is asked for."""
        with self._lock:
            meant = self.wanted if model is None else model
            self._weights[meant] = list(weights)
            if meant == self.current:
                self._send()

    def apply(self, action: Action) -> None:
        """Do what `action` asks. A control or a model that is not there is counted in `refused`."""
        with self._lock:
            if isinstance(action, ChooseGenre):
                self._choose(action.index)
            else:
                row = BY_NAME.get(action.name)
                self._act[row.acts if row is not None else "model"](action.name, action.value)

    def genre(self) -> str:
        """Name of the genre that plays, or the mix: `Jazz`, `Jazz 70 % Folk 30 %`."""
        with self._lock:
            pairs = list(zip(self.weights, self.metadata.genres, strict=True))
        parts = [(weight, name) for weight, name in pairs if weight > 0]
        if len(parts) == 1:
            return parts[0][1]
        return " ".join(f"{name} {100 * weight:.0f} %" for weight, name in sorted(parts, reverse=True))

    def by_name(self) -> dict[str, float]:
        """The values of the controls of the model that plays, in its order, and of all that acts on the output."""
        with self._lock:
            return dict(zip((row["name"] for row in self.metadata.controls), self.values, strict=True)) | self._levels

    def value(self, name: str) -> float | None:
        """The value of the parameter `name` as it was last set; None where neither the model that plays nor the output has it."""
        with self._lock:
            if name == MODEL.name:
                return float(self.wanted)
            if name in self._levels:
                return self._levels[name]
            row = next((row for row in self.metadata.controls if row["name"] == name), None)
            return None if row is None else float(self._values.get(name, row["default"]))

    def changed(self) -> list[str]:
        """What is not at its default and has no place of its own on the screen, as `settings.changed` says it."""
        return changed(self.metadata, self.by_name())

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

    def _level(self, name: str, value: float) -> None:
        """Set `name`, which acts on the output."""
        self._levels[name] = value
        self._send_levels()

    def _ask(self, name: str, value: float) -> None:
        """Do what `name` asks of the session."""
        self._asked[name](value)

    def _want(self, model: float) -> None:
        if model < len(self.models):
            self.wanted = int(model)
        else:
            self.refused += 1

    def _panic(self, _: float) -> None:
        if self._player is not None:
            self._player.panic()

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
        self._send_levels()

    def _send(self) -> None:
        if self._player is not None:
            self._player.set_controls(self.weights, self.values)

    def _send_levels(self) -> None:
        if self._output is not None:
            self._output(dict(self._levels))


def _within(control: Mapping[str, Any], value: float) -> float:
    """`value` as the model that declares `control` takes it."""
    if control["name"] in BY_NAME and BY_NAME[control["name"]].kind == "genre" and value > control["max"]:
        return float(control["default"])
    return float(min(max(value, control["min"]), control["max"]))
