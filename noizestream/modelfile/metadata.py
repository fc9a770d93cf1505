"""What a model says about itself, and the look-ups that follow from it: genres by name, controls by range. Needs no torch."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from noizestream.errors import NoizestreamError, UsageError
from noizestream.modelfile import genres
from noizestream.system.names import as_text

FORMAT_VERSION = 1

REQUIRED = (
    "format_version",
    "name",
    "sample_rate",
    "channels",
    "block_frames",
    "latency_frames",
    "genres",
    "controls",
    "noise_size",
)

CONTROL_KEYS = ("name", "min", "max", "default", "unit")


@dataclass(frozen=True)
class Metadata:
    """The `metadata.json` inside a model file; docs/model-format.md describes every key.

    `sample_rate` is in Hz, `block_frames` and `latency_frames` in frames at that rate, `noise_size` the length of `step`'s noise.
    `controls` is a list of `{name, min, max, default, unit}`. All other keys of the file (preset, training, licence, golden) are in
    `extra`.
    """

    name: str
    sample_rate: int
    channels: int
    block_frames: int
    latency_frames: int
    genres: list[str]
    controls: list[dict[str, Any]]
    noise_size: int
    format_version: int = FORMAT_VERSION
    extra: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: str | bytes, source: str = "metadata.json") -> "Metadata":
        """Return what the `text` of a `metadata.json` says, checked.

        NoizestreamError, opening with `source` (the model file), on anything that cannot be played.
        """
        try:
            values = json.loads(text)
        except ValueError:
            raise NoizestreamError(f"{source}: its metadata.json is not valid JSON, the file is damaged") from None
        if not isinstance(values, dict):
            raise NoizestreamError(f"{source}: its metadata.json is not a JSON object")
        version = values.get("format_version")
        if isinstance(version, int) and version > FORMAT_VERSION:
            raise NoizestreamError(
                f"{source}: has model format {version}, this noizestream reads up to {FORMAT_VERSION}; upgrade noizestream"
            )
        missing = [key for key in REQUIRED if key not in values]
        if missing:
            raise NoizestreamError(f"{source}: its metadata.json lacks {', '.join(missing)} (see docs/model-format.md)")
        required = {key: values.pop(key) for key in REQUIRED}
        metadata = cls(**required, extra=values)
        metadata.check(source)
        return metadata

    def to_json(self) -> str:
        """Return the text of `metadata.json`: required keys first, in order; what is no text becomes replacement characters."""
        return as_text(json.dumps({key: getattr(self, key) for key in REQUIRED} | self.extra, indent=1, ensure_ascii=False))

    def check(self, source: str = "metadata") -> None:
        """Raise NoizestreamError in one line, opening with `source`, for the first value that cannot be right."""

        def need(right: bool, what: str) -> None:
            if not right:
                raise NoizestreamError(f"{source}: metadata {what} (see docs/model-format.md)")

        for key, least in (("format_version", 1), ("sample_rate", 1), ("channels", 1), ("block_frames", 1)):
            need(_is_integer(getattr(self, key)) and getattr(self, key) >= least, f"{key} must be an integer of at least {least}")
        for key in ("latency_frames", "noise_size"):
            need(_is_integer(getattr(self, key)) and getattr(self, key) >= 0, f"{key} must be an integer of at least 0")
        need(isinstance(self.name, str) and bool(self.name), "name must be a text")
        need(
            isinstance(self.genres, list) and bool(self.genres) and all(isinstance(genre, str) and genre for genre in self.genres),
            "genres must be a list of at least one name",
        )
        need(len({genre.lower() for genre in self.genres}) == len(self.genres), "genres has the same name twice")
        need(isinstance(self.controls, list) and bool(self.controls), "controls must be a list that starts with temperature")
        for control in self.controls:
            need(
                isinstance(control, dict) and all(key in control for key in CONTROL_KEYS),
                f"controls must each have {', '.join(CONTROL_KEYS)}",
            )
            low, high, default = control["min"], control["max"], control["default"]
            need(
                all(_is_number(value) for value in (low, high, default)) and low < high and low <= default <= high,
                f"control {control['name']} must have min < max and min <= default <= max",
            )
        need(self.controls[0]["name"] == "temperature", "controls must start with temperature")
        need(len({control["name"] for control in self.controls}) == len(self.controls), "controls has the same name twice")

    def default_controls(self) -> list[float]:
        """Return the default values `[K]` of the controls, in their order."""
        return [float(control["default"]) for control in self.controls]

    def control_index(self, name: str) -> int:
        """Return the position of the control called `name`; UsageError that lists the controls if the model has none."""
        names = [control["name"] for control in self.controls]
        if name not in names:
            raise UsageError(f"{self.name} has no control {name!r}; it has {', '.join(names)}")
        return names.index(name)

    def check_control(self, name: str, value: float) -> float:
        """Return `value` as a float, or raise UsageError when the model has no such control or the value is out of its range."""
        control = self.controls[self.control_index(name)]
        if not control["min"] <= value <= control["max"]:
            unit = f" {control['unit']}" if control["unit"] else ""
            raise UsageError(f"{name}: {value:g} is out of range, give {control['min']:g} to {control['max']:g}{unit}")
        return float(value)

    def limited(self, values: Iterable[float]) -> list[float]:
        """Return `values` `[K]` of all controls, in their order, each limited to its range."""
        pairs = zip(values, self.controls, strict=True)
        return [min(max(float(value), control["min"]), control["max"]) for value, control in pairs]

    def own_tempo(self, weights: Sequence[float]) -> float | None:
        """Return the BPM that `tempo` 0 means for `weights` `[G]` of genres, a mix's geometric mean; None if the file is silent."""
        tempos = self.extra.get("tempos")
        total = 0.0
        for genre, weight in zip(self.genres, weights, strict=True):
            tempo = tempos.get(genre) if isinstance(tempos, dict) else None
            if weight > 0:
                if not _is_number(tempo) or tempo <= 0:
                    return None
                total += weight * math.log(tempo)
        return math.exp(total / sum(weights))

    def genre_index(self, name: str) -> int:
        """Return the position of the genre `name`, case ignored; a part that fits only one will do. UsageError lists the genres."""
        if (index := genres.find(name, self.genres)) is not None:
            return index
        wanted = genres.key(name)
        found = [index for index, genre in enumerate(self.genres) if wanted and wanted in genres.key(genre)]
        if len(found) == 1:
            return found[0]
        problem = f"genre {name!r} is ambiguous" if found else f"unknown genre {name!r}"
        raise UsageError(f"{problem}; {self.name} has {', '.join(self.genres)}")

    def genre_weights(self, asked: str | None = None) -> list[float]:
        """Return weights `[G]`, sum 1, of `"Jazz"`, a mix `"Jazz:0.5,Folk:0.5"` (any positive scale), or None: the first genre.

        UsageError for a genre that there is not and for weights that cannot be.
        """
        weights = [0.0] * len(self.genres)
        if asked is None:
            weights[0] = 1.0
            return weights
        for part in genres.parts(asked, self.genres) or [asked]:
            name, weight = genres.weighted(part, self.genres)
            if not (math.isfinite(weight) and weight >= 0):
                raise UsageError(f"genre {part!r}: the weight after the colon must be 0 or more")
            weights[self.genre_index(name)] += weight
        total = sum(weights)
        if total <= 0:
            raise UsageError(f"genre {asked!r}: at least one weight must be above 0")
        return [weight / total for weight in weights]


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
