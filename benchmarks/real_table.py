"""The figures of benchmarks/real.py as one table, and the bars that they have to reach."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from math import inf
from typing import Any

GROUPS = {
    "made_learned": "made beside the music learned from",
    "made_held_out": "made beside tracks held out",
    "learned_held_out": "learned from beside tracks held out",
}
Entry = Mapping[str, Any]
"""One genre's figures, as `noizestream evaluate --json` has them; what an older one lacks reads "-"."""


def at(entry: Any, *path: str) -> Any:
    """What lies at `path` of nested mappings, None where any of it is missing."""
    for name in path:
        entry = entry.get(name) if isinstance(entry, Mapping) else None
    return entry


def ratio(entry: Entry, section: str, name: str) -> float | None:
    """`name` of what is judged over the same of the real music; None where real music has nothing of it."""
    made, real = at(entry, section, "made", name), at(entry, section, "real", name)
    return made / real if made is not None and real else None


def silence(entry: Entry) -> float | None:
    """Points of silence more than in the real music."""
    made, real = (at(entry, "liveliness", side, "silence") for side in ("made", "real"))
    return None if made is None or real is None else 100 * (made - real)


def below_shuffled(entry: Entry) -> bool | None:
    """Whether it is nearer to the music than the music's own frames, shuffled in time, are."""
    own, control = at(entry, "frechet", "own"), at(entry, "frechet", "control")
    return None if own is None or control is None else own < control


RATIOS = {
    "flux": ("liveliness", "flux"),
    "peakiness": ("liveliness", "peakiness"),
    "pulse": ("liveliness", "pulse"),
    "chords": ("notes", "chords"),
    "pitch-class entropy": ("notes", "entropy"),
    "notes over .4 s": ("notes", "long"),
}


BARS = {
    "flux within 15 %": ("flux", 0.85, 1.15),
    "peakiness within 15 %": ("peakiness", 0.85, 1.15),
    "pulse at least 85 %": ("pulse", 0.85, inf),
    "chords within 25 %": ("chords", 0.75, 1.25),
    "pitch-class entropy at least .9": ("pitch-class entropy", 0.9, inf),
    "time in notes over .4 s at least .8": ("notes over .4 s", 0.8, inf),
}
"""Of the ratios beside the music learned from: the lowest and the highest that will do, in every genre."""


def _share(value: Any) -> str:
    return "-" if value is None else f"{100 * value:.0f} %"


def _number(value: float | None, form: str = "{:.2f}") -> str:
    return "-" if value is None else form.format(value)


def _yes(value: bool | None) -> str:
    return "-" if value is None else "yes" if value else "NO"


def _rows(entry: Entry) -> dict[str, str]:
    return {
        "recognised": _share(at(entry, "recognised", "made")),
        "  held-out real": _share(at(entry, "recognised", "held_out")),
        "  shuffled control": _share(at(entry, "recognised", "control")),
        "own genre nearest": _yes(at(entry, "frechet", "own_nearest")),
        "nearer than shuffled": _yes(below_shuffled(entry)),
        "Fréchet distance": _number(at(entry, "frechet", "own"), "{:.1f}"),
        "  of the shuffled": _number(at(entry, "frechet", "control"), "{:.1f}"),
        **{f"{name}, ratio": _number(ratio(entry, *where)) for name, where in RATIOS.items()},
        "silence, points": _number(silence(entry), "{:+.1f}"),
        "nearer than held out": _share(at(entry, "novelty", "nearer")),
    }


def table(result: Mapping[str, Any]) -> str:
    """A row per figure, a column per genre in each of `GROUPS`, as lines of text."""
    groups = {group: {genre: _rows(entry) for genre, entry in result[group]["genres"].items()} for group in GROUPS}
    genres = list(groups["made_learned"])
    names = list(_rows({}))
    label, widths = max(map(len, names)), [max(len(genre), 6) for genre in genres]
    wide = max(sum(widths) + 2 * (len(widths) - 1), *map(len, GROUPS.values()))

    def line(name: str, *cells: str) -> str:
        return " | ".join([name.ljust(label), *cells]).rstrip()

    def columns(cells: Iterable[str]) -> str:
        return "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True)).rjust(wide)

    lines = [line("", *(title.center(wide) for title in GROUPS.values())), line("", *[columns(genres)] * len(GROUPS))]
    lines.append("-+-".join(["-" * label, *["-" * wide] * len(GROUPS)]))
    for name in names:
        lines.append(line(name, *(columns(group.get(genre, _rows({}))[name] for genre in genres) for group in groups.values())))
    lengths = ", ".join(f"{_seconds(result[group]['genres']):.0f} s" for group in GROUPS)
    return "\n".join([*lines, f"Fréchet distances of {lengths} a genre"])


def _seconds(genres: Mapping[str, Entry]) -> float:
    return min(at(entry, "frechet", "seconds") or 0.0 for entry in genres.values())


Verdict = tuple[str, bool | None, str]
"""A bar, whether it is met (None where a figure is missing), and the figures."""


def verdicts(result: Mapping[str, Any]) -> list[str]:
    """A line per bar: met, MISSED, or "-" where a figure is missing; the bar; the figures."""
    found = [*_beside_learned(result["made_learned"]), *_beside_held_out(result["made_held_out"], result["learned_held_out"])]
    if taken := result.get("taken_s"):
        whole = sum(taken.values()) / 60
        parts = ", ".join(f"{name} {seconds / 60:.1f}" for name, seconds in taken.items())
        found.append(("all of it in 60 minutes", whole <= 60, f"{whole:.1f} ({parts})"))
    return [f"{'-' if met is None else 'met' if met else 'MISSED':6}  {bar}: {figures}" for bar, met, figures in found]


def _beside_learned(figures: Mapping[str, Any]) -> Iterator[Verdict]:
    genres = figures["genres"]
    made, control = (at(figures, "all", "recognised", side) for side in ("made", "control"))
    each = ", ".join(f"{genre} {_share(at(entry, 'recognised', 'made'))}" for genre, entry in genres.items())
    yield "recognised at least 92 %", None if made is None else made >= 0.92, f"{_share(made)} ({each})"
    both = made is not None and control is not None
    yield "recognised above the shuffled control", made > control if both else None, f"{_share(made)} for {_share(control)}"
    nearest = {genre: at(entry, "frechet", "own_nearest") for genre, entry in genres.items()}
    yield _all("own genre nearest", nearest, bool, _yes)
    nearer = {genre: below_shuffled(entry) for genre, entry in genres.items()}
    yield _all("nearer than its shuffled control", nearer, bool, _yes)
    for bar, (name, lowest, highest) in BARS.items():
        values = {genre: ratio(entry, *RATIOS[name]) for genre, entry in genres.items()}
        yield _all(bar, values, partial(_within, lowest, highest), _number)
    more = {genre: silence(entry) for genre, entry in genres.items()}
    yield _all("silence within 3 points", more, partial(_within, -3, 3), partial(_number, form="{:+.1f}"))


def _beside_held_out(made: Mapping[str, Any], learned: Mapping[str, Any]) -> Iterator[Verdict]:
    ours, theirs = (at(figures, "all", "recognised", "made") for figures in (made, learned))
    met = None if ours is None or theirs is None else ours >= theirs - 0.05
    yield "held out: recognised within 5 points of the music learned from", met, f"{_share(ours)} for {_share(theirs)}"
    times = {}
    for genre, entry in made["genres"].items():
        own, other = at(entry, "frechet", "own"), at(learned, "genres", genre, "frechet", "own")
        times[genre] = own / other if own is not None and other else None
    yield _all("held out: Fréchet at most 1.5 times that of the music learned from", times, partial(_within, 0, 1.5), _number)


def _within(lowest: float, highest: float, value: float) -> bool:
    return lowest <= value <= highest


def _all(bar: str, values: Mapping[str, Any], reached: Callable[[Any], bool], shown: Callable[[Any], str]) -> Verdict:
    """A bar that every genre has to reach."""
    met = None if any(value is None for value in values.values()) else all(reached(value) for value in values.values())
    return bar, met, ", ".join(f"{genre} {shown(value)}" for genre, value in values.items())
