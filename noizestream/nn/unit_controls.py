"""The controls that a `UnitPlayer` declares and where among them those of a layer lie; docs/model-format.md explains each."""

from typing import Any

FIRST_OF_LAYERS = 5
PER_LAYER = 5
"""Controls before those of the layers; controls of each: level, mute, hold, new, genre."""


def controls_of(layers: list[str], genres: int) -> list[dict[str, Any]]:
    """Name, range, default and unit of each, for so many genres and the names of the layers in order."""
    rows: list[tuple[str, float, float, float, str]] = [
        ("temperature", 0.0, 2.0, 1.0, ""),
        ("tempo", 0.0, 220.0, 0.0, "BPM"),
        ("beat", -1.0, 1e6, -1.0, "beats"),
        ("chord", -1.0, 23.0, -1.0, ""),
        ("harmony", 0.0, 1.0, 0.5, ""),
    ]
    for name in layers:
        rows += [
            (f"{name}_level", -60.0, 6.0, 0.0, "dB"),
            (f"{name}_mute", 0.0, 1.0, 0.0, ""),
            (f"{name}_hold", 0.0, 1.0, 0.0, ""),
            (f"{name}_new", 0.0, 127.0, 0.0, ""),
            (f"{name}_genre", -1.0, float(max(0, genres - 1)), -1.0, ""),
        ]
    return [dict(zip(("name", "min", "max", "default", "unit"), row, strict=True)) for row in rows]
