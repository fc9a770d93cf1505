"""Work that needs the model, in one process per core: each loads the file once. Results come in the order asked for."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np

from noizestream.analysis.description import describe_audio
from noizestream.analysis.excerpts import Excerpt
from noizestream.analysis.measures import flux, repeats, silence
from noizestream.analysis.places import Places
from noizestream.errors import NoizestreamError, option
from noizestream.music import compiled
from noizestream.music.decode import RATE
from noizestream.music.skipped import Skip
from noizestream.system.signals import by_default
from noizestream.system.spawn import Context, processes

_generator: Any = None
_failure: NoizestreamError | None = None


def run(model: Path, jobs: Sequence[tuple[Callable, tuple]], workers: int | None = None) -> Iterator[Any]:
    """Yield `function(*arguments)` for each of `jobs`, which use the `model` file, in order.

    `workers`: None is one process per core, 0 this process. NoizestreamError when a job fails or a process dies.
    """
    count = min(len(jobs), processes(workers))
    if count == 0:
        _open(model)
        for function, arguments in jobs:
            yield function(*arguments)
        return
    compiled.ready()
    context = Context()
    with ProcessPoolExecutor(count, context, _start, (model, context.Value("b", 0))) as pool:
        futures = [pool.submit(_do, function, arguments) for function, arguments in jobs]
        try:
            for future in futures:
                yield future.result()
        except BrokenProcessPool:
            if compiled.heal():
                raise NoizestreamError("the cache of compiled functions was damaged and has been made anew; start again") from None
            raise NoizestreamError(f"{model}: a process died (out of memory?); try {option('workers')} 1") from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def render(genre: str, seed: int, seconds: float, temperature: float, keep: bool) -> dict[str, Any]:
    """Render `seconds` of `genre` and describe it; with `keep` the `audio` [channels, n] at `RATE` comes along.

    As `noizestream render` would: behind the output safety. `resets` counts blocks that the model spoilt. `places` are the
    figures of places.py, None if the model does not offer them.
    """
    stream = _stream(genre, seed, temperature)
    metadata = _generator.metadata
    places = None
    if hasattr(_generator.module, "places"):
        places = Places(_generator.module, metadata.name, metadata.block_frames / metadata.sample_rate)
    audio = next(_parts(stream, seconds, 1, places))
    result = describe_audio(audio) | {"resets": stream.resets, "places": places.figures() if places else None}
    return result | ({"audio": audio} if keep else {})


def render_minutes(genre: str, seed: int, minutes: int, temperature: float) -> list[dict[str, float]]:
    """Return the figures of each of `minutes` minutes of one rendering of `genre`: see `minute`."""
    return [minute(audio) for audio in _parts(_stream(genre, seed, temperature), 60.0, minutes)]


def minute(audio: np.ndarray) -> dict[str, float]:
    """Return `level` (RMS in dBFS), `silence`, `repeats` and `flux` of `audio` [channels, n] at `RATE`."""
    mono = audio.mean(axis=0)
    level = 10 * np.log10(max(float(np.mean(np.square(audio, dtype=np.float64))), 1e-12))
    return {"level": level, "silence": silence(mono, RATE), "repeats": repeats(mono, RATE), "flux": flux(mono, RATE)}


def probe(genre: str, unseen: list[Excerpt]) -> dict[str, Any]:
    """Return `{"prediction": ..., "codec": ...}` of `genre` on the `unseen` excerpts (probing.py), None for what is not offered."""
    from noizestream.analysis.probing import Probe, codec, prediction

    asked = Probe(_generator.module, _generator.metadata)
    tempos = _generator.metadata.extra.get("tempos")
    tempo = tempos.get(genre) if isinstance(tempos, dict) else None
    try:
        return {"prediction": prediction(asked, genre, tempo, unseen), "codec": codec(asked, unseen)}
    except Skip as error:
        raise NoizestreamError(f"{genre}: a file changed while it was evaluated ({error})") from None


def _open(model: Path) -> None:
    global _generator
    from noizestream.engine.generator import load, prepare_torch

    prepare_torch()
    _generator = load(model)


def _start(model: Path, warned: Any) -> None:
    global _failure
    by_default("SIGINT")  # the parent speaks of an interruption, once
    with warned:
        if warned.value:  # the first process warns, if there is anything to warn of
            logging.getLogger("noizestream").setLevel(logging.ERROR)
        warned.value = 1
    try:
        _open(model)
    except NoizestreamError as error:  # here it would only break the pool
        _failure = error


def _do(function: Callable, arguments: tuple) -> Any:
    if _failure is not None:
        raise _failure
    return function(*arguments)


def _stream(genre: str, seed: int, temperature: float) -> Any:
    from noizestream.engine.safety import SafeStream

    _generator.set_genre(genre)
    _generator.set_control("temperature", temperature)
    _generator.reset(seed)
    return SafeStream(_generator)


def _parts(stream: Any, seconds: float, count: int, places: Places | None = None) -> Iterator[np.ndarray]:
    """`count` parts [channels, n] of `seconds` each, at `RATE`; `places` is asked after every block."""
    import soxr

    rate = _generator.metadata.sample_rate
    size, rest = round(seconds * rate), np.zeros((_generator.metadata.channels, 0), np.float32)
    for _ in range(count):
        blocks, ready = [rest], rest.shape[1]
        while ready < size:
            blocks.append(stream.step())
            ready += blocks[-1].shape[1]
            if places is not None:
                places.ask(_generator.state)
        joined = np.concatenate(blocks, axis=1)
        part, rest = joined[:, :size], joined[:, size:]
        yield part if rate == RATE else np.ascontiguousarray(soxr.resample(part.T, rate, RATE, quality="HQ").T)
