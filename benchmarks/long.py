"""Does it last? Every genre rendered for many minutes in one go, minute by minute, beside the real music if it is given.

    python benchmarks/long.py MODEL [--minutes 10] [-t 1] [--seed 1] [--genres A,B] [--data DATA] [--json FILE]

A model that collapses gets silent, sticks (repeats rise, flux falls) or runs away (level and flux rise). Memory does not grow with
the length; one process per core renders a genre each.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")

from benchmarks.program import print_table, run  # noqa: E402
from noizestream.analysis import jobs  # noqa: E402
from noizestream.modelfile import archive  # noqa: E402
from noizestream.music.library import read_library  # noqa: E402
from noizestream.music.parallel import decode_all  # noqa: E402
from noizestream.system.jsonfile import write_json  # noqa: E402

FIGURES = {"level": "{:.1f}", "silence": "{:.1%}", "repeats": "{:.1%}", "flux": "{:.3f}"}


def real_figures(data: str, genres: list[str], workers: int | None) -> dict[str, dict[str, float]]:
    """The same figures of the library's music, averaged over up to five minutes at a time, weighted by length."""
    tracks = [track for track in read_library(data).tracks if track.genre in genres]
    rows: dict[str, list[tuple[float, dict[str, float]]]] = {}
    for piece in decode_all(tracks, [], workers=workers, then=_described):
        rows.setdefault(piece.track.genre, []).append(piece.audio)
    return {
        genre: {name: sum(n * row[name] for n, row in found) / sum(n for n, _ in found) for name in FIGURES}
        for genre, found in rows.items()
    }


def _described(track, audio) -> tuple[float, dict[str, float]]:
    return audio.shape[1], jobs.minute(audio)


def show(minutes: dict[str, list[dict[str, float]]], real: dict[str, dict[str, float]]) -> None:
    """A row per genre and figure, a column per minute."""
    from rich.table import Table

    count = max(map(len, minutes.values()))
    table = Table("genre", "", *(str(number + 1) for number in range(count)), *(["real"] if real else []))
    for genre, rows in minutes.items():
        for name, form in FIGURES.items():
            cells = [form.format(row[name]) for row in rows]
            cells += [form.format(real[genre][name])] if genre in real else [""] * bool(real)
            table.add_row(genre if name == "level" else "", name, *cells, end_section=name == "flux")
    print_table(table, 30 + 8 * (count + 1))


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("-t", "--temperature", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--genres", help="only these, as A,B")
    parser.add_argument("--data", help="real music to set beside")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    if asked.minutes < 1:
        parser.error("--minutes: give at least 1")
    path = archive.find_model(asked.model)
    metadata = archive.read_metadata(path)
    metadata.check_control("temperature", asked.temperature)
    wanted = asked.genres.split(",") if asked.genres else metadata.genres
    genres = [metadata.genres[metadata.genre_index(name)] for name in wanted]
    todo = [(jobs.render_minutes, (genre, asked.seed, asked.minutes, asked.temperature)) for genre in genres]
    minutes = dict(zip(genres, jobs.run(path, todo, asked.workers), strict=True))
    real = real_figures(asked.data, genres, asked.workers) if asked.data else {}
    show(minutes, real)
    result = {"minutes": minutes, "real": real}
    if asked.json:
        write_json(asked.json, result)
    return result


if __name__ == "__main__":
    run(main)
