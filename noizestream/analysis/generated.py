"""The side that is judged: what a model renders and says of real music, or a folder of audio in its place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noizestream.analysis import jobs
from noizestream.analysis.corpus import Real
from noizestream.analysis.description import describe_generated
from noizestream.analysis.excerpts import UNSEEN, excerpts
from noizestream.errors import NoizestreamError
from noizestream.modelfile.genres import key
from noizestream.modelfile.metadata import Metadata
from noizestream.music.parallel import decode_all
from noizestream.music.skipped import Skipped
from noizestream.music.tracks import Library

UNSEEN_S = 60.0
"""At most so much held-out music per genre is put to the model."""

Described = Mapping[str, Any]
"""What description.py makes of a piece of audio."""
Progress = Callable[[float, float], None]


@dataclass(frozen=True)
class Settings:
    """What is rendered per genre: `seeds` renderings of `seconds` each, from `seed` on. 22 s give 21 windows: 105 a genre."""

    seconds: float = 22.0
    seeds: int = 5
    seed: int = 1
    temperature: float = 1.0


def render_and_probe(
    model: Path,
    metadata: Metadata,
    real: Mapping[str, Real],
    settings: Settings,
    workers: int | None = None,
    keep: bool = False,
    progress: Progress | None = None,
) -> tuple[dict[str, list[Described]], dict[str, Described]]:
    """Return, per genre that model and library share, descriptions of its renderings, and what the model says of held-out music.

    The first rendering of each genre has its `audio` with `keep`. NoizestreamError when they share no genre.
    """
    names = {key(name): name for name in metadata.genres}
    genres = [genre for genre in real if key(genre) in names]
    if not genres:
        raise NoizestreamError(f"{model}: none of its genres ({', '.join(metadata.genres)}) is among {', '.join(real)}")
    todo: list[tuple[Callable, tuple]] = []
    for genre in genres:
        pieces = real[genre].pieces
        name = names[key(genre)]
        todo.append((jobs.probe, (name, excerpts(pieces, UNSEEN, UNSEEN_S))))
        for number in range(settings.seeds):
            asked = (name, settings.seed + number, settings.seconds, settings.temperature, keep and number == 0)
            todo.append((jobs.render, asked))
    done = []
    for result in jobs.run(model, todo, workers):
        done.append(result)
        if progress is not None:
            progress(len(done), len(todo))
    per = 1 + settings.seeds
    generated = {genre: done[number * per + 1 : (number + 1) * per] for number, genre in enumerate(genres)}
    return generated, {genre: done[number * per] for number, genre in enumerate(genres)}


def describe_folder(
    library: Library, real: Mapping[str, Real], skipped: list[Skipped], workers: int | None = None, progress=None
) -> dict[str, list[Described]]:
    """Return, per genre of `real`, descriptions of the audio of `library`. NoizestreamError when they share no genre."""
    names = {key(genre): genre for genre in real}
    generated: dict[str, list[Described]] = {}
    tracks = [track for track in library.tracks if key(track.genre) in names]
    for decoded in decode_all(tracks, skipped, workers=workers, then=describe_generated, progress=progress):
        generated.setdefault(names[key(decoded.track.genre)], []).append(decoded.audio)
    if not generated:
        raise NoizestreamError(f"{library.name}: none of its genres ({', '.join(library.genres)}) is among {', '.join(real)}")
    return {genre: generated[genre] for genre in real if genre in generated}
