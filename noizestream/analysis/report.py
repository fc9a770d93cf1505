"""The figures of compare.py as tables on the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from noizestream.analysis.compare import IMAGE, RATIOS
from noizestream.analysis.copying import LAYERS, LENGTH_S
from noizestream.analysis.notes import NAMES

NOT_OFFERED = "not offered"
WIDTH = 150
"""Where standard output is a file or a pipe."""
UNSURE = "after the ±: standard error of the ratio, from how much performances differ"
NOTE_HEADS = ("genre", "chords / 10 s", "commonest chord", "entropy (bits)", "notes / s", "time in long notes", "between semitones")


def print_report(figures: Mapping[str, Any]) -> None:
    """Print `figures`, the result of `compare`, as one table after another."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console() if Console().is_terminal else Console(width=WIDTH)
    for title, heads, rows, note in tables(figures):
        if not rows:
            console.print(Text(f"{title}: {NOT_OFFERED}", style="bold"))
            continue
        table = Table(title=Text(title, style="bold"), title_justify="left", caption=note or None, caption_justify="left")
        for number, head in enumerate(heads):
            table.add_column(head, justify="right" if number else "left")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        console.print(table)


def tables(figures: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[str], list[list[str]], str]]:
    """Yield (title, heads, rows, note) of every table; no rows where the model does not offer what it shows."""
    genres: Mapping[str, Any] = figures["genres"]
    yield _liveliness(genres)
    yield _control(genres)
    yield _notes(genres)
    yield _notes_control(genres)
    yield _image(genres)
    yield _frechet(genres)
    yield _copying(genres)
    yield _layers(genres)
    yield _places(genres)
    yield _prediction(genres, figures["all"])
    yield _codec(genres, figures["all"])
    yield _recognised(genres, figures["all"])


def _recognised(genres: Mapping[str, Any], overall: Mapping[str, Any]):
    rows = []
    for genre, entry in {**genres, "all": overall}.items():
        shares = entry["recognised"]
        if shares is None:
            return "Genre recognised", (), [], ""
        others = sorted(((share, name) for name, share in shares.get("made_taken_for", {}).items() if name != genre), reverse=True)
        mistaken = f"{others[0][1]} {others[0][0]:.1%}" if others and others[0][0] else ""
        cells = [_share(shares[name]) for name in ("made", "held_out", "control")]
        rows.append([genre, str(shares["made_windows"]), *cells, mistaken])
    heads = ("genre", "windows", "recognised", "real, held out", "shuffled control", "most mistaken for")
    note = "2-second windows; the control shows that this is timbre only: read it together with pulse and flux"
    return "Genre recognised", heads, rows, note


def _liveliness(genres: Mapping[str, Any]):
    rows = []
    for genre, entry in genres.items():
        figures = entry["liveliness"]
        made, real = figures["made"], figures["real"]
        cells = _beside(figures, RATIOS)
        shares = [f"{made[name]:.1%} / {real[name]:.1%}" for name in ("silence", "repeats")]
        rows.append([genre, *cells, f"{made['tempo']:.1f} / {real['tempo']:.1f} ({figures['tempo_error']:.1%})", *shares])
    heads = ("genre", "peakiness", "flux", "pulse clarity", "tempo (error)", "silence", "repeats")
    return "Liveliness: made / real (ratio)", heads, rows, UNSURE


def _control(genres: Mapping[str, Any]):
    rows = []
    for genre, entry in genres.items():
        control, real = entry["liveliness"]["control"], entry["liveliness"]["real"]
        ratio = {name: control[name] / real[name] if real[name] else None for name in RATIOS}
        rows.append([genre, *(f"{control[name]:.3g} ({_ratio(ratio[name])})" for name in RATIOS)])
    heads = ("genre", "peakiness", "flux", "pulse clarity")
    return "Liveliness of the shuffled control (ratio to real)", heads, rows, ""


def _notes(genres: Mapping[str, Any]):
    rows = [[genre, *_beside(entry["notes"], NAMES)] for genre, entry in genres.items()]
    return "Notes: made / real (ratio)", NOTE_HEADS, rows, UNSURE


def _notes_control(genres: Mapping[str, Any]):
    rows = []
    for genre, entry in genres.items():
        control, ratio = entry["notes"]["control"], entry["notes"]["control_ratio"]
        rows.append([genre, *(f"{_number(control[name])} ({_ratio(ratio[name])})" for name in NAMES)])
    return "Notes of the shuffled control (ratio to real)", NOTE_HEADS, rows, ""


def _image(genres: Mapping[str, Any]):
    rows = []
    for genre, entry in genres.items():
        made, real = entry["image"]["made"], entry["image"]["real"]
        rows.append([genre, *(f"{made[name]:.2f} / {real[name]:.2f}" for name in IMAGE)])
    note = "0 is mono; width 1: unrelated sides, pan 1: all on one side; means over the bands from 150 Hz"
    return "Stereo image: made / real", ("genre", "width", "size of the pan", "motion of the pan"), rows, note


def _frechet(genres: Mapping[str, Any]):
    rows = []
    for genre, entry in genres.items():
        figures = entry["frechet"]
        other = min((name for name in figures["to"] if name != genre), key=lambda name: figures["to"][name] or 0, default="-")
        cells = [_number(figures[name]) for name in ("own", "nearest_other", "floor", "control")]
        cells[1] += f" ({other})"
        rows.append([genre, *cells, "yes" if figures["own_nearest"] else "NO", f"{figures['floor_seconds']:.0f} s"])
    seconds = next(iter(genres.values()))["frechet"]["seconds"]
    note = "floor: one half of the real music against the other" + (
        "" if seconds >= 59.5 else f"; {seconds:.0f} s are few: at least 60 of every genre make it reliable"
    )
    heads = ("genre", "to own genre", "to nearest other", "real floor", "shuffled control", "own nearest", "floor of")
    return f"Fréchet distance, {seconds:.0f} s each", heads, rows, note


def _copying(genres: Mapping[str, Any]):
    rows = []
    for genre, entry in genres.items():
        figures = entry["copying"][f"{LENGTH_S}s"]
        made, held = figures["made"] or {}, figures["held_out"] or {}
        cells = [f"{_number(made.get(name))} / {_number(held.get(name))}" for name in ("least", "p5", "median")]
        rows.append([genre, *cells, _share(figures["nearer"])])
    heads = ("genre", "least", "5 %", "median", "nearer")
    note = "nearer: share of windows nearer to training audio than 95 % of held-out real ones; about 5 % where nothing is copied"
    title = f"Novelty: distance of {LENGTH_S} s to the nearest training audio (0 is a copy), made / held-out real"
    return title, heads, rows, note


def _layers(genres: Mapping[str, Any]):
    rows = []
    for genre, entry in genres.items():
        row = [genre]
        for figures in (entry["copying"]["layers"][name] for name in LAYERS):
            made, held = figures["made"] or {}, figures["held_out"] or {}
            row += [f"{_number(made.get('median'))} / {_number(held.get('median'))}", _share(figures["nearer"])]
        rows.append(row)
    heads = ["genre", *(head for name in LAYERS for head in (f"{name}: median", "nearer"))]
    return "Novelty, layer by layer", heads, rows, "bass: below 180 Hz; middle: to 2 kHz; top: above"


def _places(genres: Mapping[str, Any]):
    rows = []
    for genre, figures in _offered(genres, "places"):
        layers = figures["layers"]
        each = [" ".join(_share(layer["went_on"]) for layer in layers), " ".join(f"{layer['longest_s']:.1f}" for layer in layers)]
        rows.append([genre, _share(figures["went_on"]), f"{figures['longest_s']:.1f} s", *each])
    heads = ("genre", "went on", "longest run", "went on, layer by layer", "longest runs (s)")
    note = "of the slots of the memory that began, those that followed what had just been played; a run has no jump in it"
    return "Going on in the memory", heads, rows, note


def _prediction(genres: Mapping[str, Any], overall: Mapping[str, Any]):
    rows = []
    for genre, figures in _offered({**genres, "all": overall}, "prediction"):
        model, still = figures.get("model", {}), figures.get("last_frame", {})
        errors = [f"{_number(model.get(name), NOT_OFFERED)} / {_number(still.get(name))}" for name in ("mse", "mae", "mbe")]
        rows.append([genre, str(figures["frames"]), _number(figures["nats"]), *errors])
    heads = ("genre", "blocks", "nats per block", "MSE", "MAE", "MBE")
    note = "errors of the one-step prediction in log-band magnitudes / of the last frame held"
    return "Prediction of held-out music", heads, rows, note


def _codec(genres: Mapping[str, Any], overall: Mapping[str, Any]):
    rows = [
        [genre, f"{figures['codec']:.4f}", f"{figures['tonal']:.4f}", f"{figures['seconds']:.0f} s"]
        for genre, figures in _offered({**genres, "all": overall}, "codec")
    ]
    return "Codec, on held-out music", ("genre", "codec distance", "tonal distance", "of"), rows, ""


def _offered(genres: Mapping[str, Any], section: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every genre with its figures of `section`, without those that have none: the model does not offer it."""
    return ((genre, entry[section]) for genre, entry in genres.items() if entry[section] is not None)


def _beside(figures: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Of each of `names`: made / real (ratio ± standard error)."""
    made, real, ratio, error = (figures[name] for name in ("made", "real", "ratio", "ratio_error"))
    unsure = {name: "" if error[name] is None else f" ± {error[name]:.2f}" for name in names}
    return [f"{_number(made[name])} / {_number(real[name])} ({_ratio(ratio[name])}{unsure[name]})" for name in names]


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _number(value: float | None, absent: str = "-") -> str:
    return absent if value is None else f"{value:.3g}"
