"""What OSC messages mean, from the table of parameters. Pure: address and arguments in, actions out; no port, no clock."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from noizestream.control.chords import parse_chord
from noizestream.control.midi_map import Action, ChooseGenre, SetValue
from noizestream.control.osc_addresses import GENRE, PREFIX, SUBSCRIBE, TREE, UNSUBSCRIBE, addresses, rows_of, tree
from noizestream.control.parameter import CHOSEN, Parameter
from noizestream.control.parameters import MODEL
from noizestream.control.settings import SWITCH
from noizestream.errors import UsageError
from noizestream.modelfile.metadata import Metadata

MOST_TEXT, MOST_COMMAS = 256, 8
"""Of a text: a genre's name is looked for between its commas in every way, which must not take long."""


@dataclass(frozen=True)
class MixGenres:
    """Play the genres of model number `model` with these `weights` `[G]`, which sum to 1."""

    weights: tuple[float, ...]
    model: int


@dataclass(frozen=True)
class Subscribe:
    """Send the state to the sender from now on, at `port` (None: at the port that it sends from)."""

    port: int | None = None


@dataclass(frozen=True)
class Unsubscribe:
    """Send the state to the sender no more."""


@dataclass(frozen=True)
class AskTree:
    """Send the tree of addresses to the sender."""


Meaning = Action | MixGenres | Subscribe | Unsubscribe | AskTree


class OscMap:
    """Translates OSC messages for a session of `models`.

    A number beyond the range of a value is taken as the nearest end; a choice that there is not is refused, as is what is no number
    and what the model that plays does not declare. No argument asks for the state, and pulls a trigger; 0 there is a button let go.
    `messages` counts all that arrived, `refused` those that ask for nothing we have.
    """

    def __init__(self, models: Sequence[Metadata]):
        self._models = list(models)
        self._rows = [rows_of(model, len(self._models)) for model in self._models]
        self.tree = tree(addresses(self._models))
        self.messages = 0
        self.refused = 0

    def translate(self, address: str, arguments: Sequence[object], playing: int = 0, wanted: int = 0) -> Meaning | None:
        """Return what a message asks for, or None. Never raises, whatever the arguments.

        `playing` and `wanted` are the numbers of the model that plays and of the one that is asked for, for which a genre is meant.
        """
        self.messages += 1
        part = address.removeprefix(PREFIX) if address.startswith(PREFIX) else ""
        if part in (SUBSCRIBE, UNSUBSCRIBE, TREE):
            return self._ask(part, arguments)
        row = self._rows[playing].get(part)
        if (row is None and part != GENRE) or len(arguments) > 1:
            return self._refuse()
        pulled = row is not None and row.kind in ("trigger", "count")
        if not arguments and not pulled:
            return None
        try:
            if row is None:
                return self._genre(arguments[0], wanted)
            if pulled:
                lets_go = bool(arguments) and _number(arguments[0]) == 0
                return None if lets_go else SetValue(row.name, row.maximum)
            return SetValue(row.name, self._value(row, arguments[0], playing))
        except (UsageError, OverflowError):
            return self._refuse()

    def state(self, playing: int, weights: Sequence[float], values: Mapping[str, float]) -> list[tuple[str, float | int | str]]:
        """Return (address, value) of all that keeps a value, by the addresses that set it, while the model `playing` plays.

        `weights` are its genres', `values` those of its controls and of what acts on the output, by name.
        """
        found: list[tuple[str, float | int | str]] = [(PREFIX + GENRE, mix_text(self._models[playing].genres, weights))]
        for part, row in self._rows[playing].items():
            if row.name == MODEL.name:
                found.append((PREFIX + part, playing))
            elif row.name in values and row.kind not in ("trigger", "count"):
                value = values[row.name]
                found.append((PREFIX + part, int(value) if row.kind in CHOSEN else float(value)))
        return found

    def _ask(self, part: str, arguments: Sequence[object]) -> Meaning | None:
        if part == SUBSCRIBE and len(arguments) == 1:
            port = arguments[0]
            if isinstance(port, float) and port.is_integer():  # many senders know no whole numbers
                port = int(port)
            return Subscribe(port) if isinstance(port, int) and 0 < port < 65536 else self._refuse()
        asked: dict[str, Meaning] = {SUBSCRIBE: Subscribe(), UNSUBSCRIBE: Unsubscribe(), TREE: AskTree()}
        return asked[part]

    def _genre(self, asked: object, wanted: int) -> Meaning:
        model = self._models[wanted]
        if isinstance(asked, str):
            weights = model.genre_weights(_text(asked))
            return ChooseGenre(weights.index(1.0)) if 1.0 in weights else MixGenres(tuple(weights), wanted)
        return ChooseGenre(int(_whole(_number(asked), 0, len(model.genres) - 1)))

    def _value(self, row: Parameter, asked: object, playing: int) -> float:
        """What `asked` means for `row`; UsageError if it cannot be meant."""
        if isinstance(asked, str):
            asked = self._named(row, _text(asked), playing)
        value = _number(asked)
        if row.kind == "toggle":
            return float(value >= 0.5)
        if row.kind in CHOSEN:
            return _whole(value, row.minimum, row.maximum)
        value = min(max(value, row.minimum), row.maximum)
        if row.lowest is not None and row.minimum < value < row.lowest:
            return row.minimum if value < (row.minimum + row.lowest) / 2 else row.lowest
        return value

    def _named(self, row: Parameter, text: str, playing: int) -> float:
        names = [model.name for model in self._models]
        if row.name == MODEL.name and text in names:
            return names.index(text)
        try:
            return float(text)
        except ValueError:
            if row.kind == "toggle" and text.lower() in SWITCH:
                return SWITCH[text.lower()]
            if row.kind == "chord":
                return parse_chord(text)
            if row.kind == "genre":
                return self._models[playing].genre_index(text)
        raise UsageError(f"{row.name}: {text!r} is not a number")

    def _refuse(self) -> Meaning | None:
        self.refused += 1
        return None


def mix_text(genres: Sequence[str], weights: Sequence[float]) -> str:
    """Return the genre or the mix of `weights` `[G]` as text that can be sent back: `Jazz`, `Jazz:0.7,Folk:0.3`."""
    parts = [(genre, weight) for genre, weight in zip(genres, weights, strict=True) if weight > 0]
    return parts[0][0] if len(parts) == 1 else ",".join(f"{genre}:{weight:.3g}" for genre, weight in parts)


def _text(text: str) -> str:
    if len(text) > MOST_TEXT or text.count(",") > MOST_COMMAS:
        raise UsageError("the text is too long")
    return text


def _number(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise UsageError(f"{value!r} is not a number")
    return float(value)


def _whole(value: float, least: float, most: float) -> float:
    """The whole number next to `value`, as a fader sends what lies between; UsageError beyond the ends."""
    whole = math.floor(value + 0.5)
    if not least <= whole <= most:
        raise UsageError(f"{value:g} is out of range")
    return float(whole)
