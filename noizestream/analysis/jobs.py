"""Work that needs the model, in one process per core: each loads the file once. Results come in the order asked for."""

import logging
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from noizestream.analysis.description import describe_audio
from noizestream.analysis.excerpts import Excerpt
from noizestream.errors import NoizestreamError
from noizestream.music.decode import RATE
from noizestream.music.skipped import Skip

_generator: Any = None


def run(model: Path, jobs: Sequence[tuple[Callable, tuple]], workers: int | None = None) -> Iterator[Any]:
    """Yield `function(*arguments)` for each of `jobs`, which use the `model` file, in order.

    `workers`: None is one process per core, 0 this process. NoizestreamError when a job fails or a process dies.
    """
    count = min(len(jobs), (os.cpu_count() or 1) if workers is None else workers)
    if count == 0:
        _open(model)
        for function, arguments in jobs:
            yield function(*arguments)
        return
    with ProcessPoolExecutor(count, get_context("spawn"), _open_quietly, (model,)) as pool:
        futures = [pool.submit(function, *arguments) for function, arguments in jobs]
        try:
            for future in futures:
                yield future.result()
        except BrokenProcessPool:
            raise NoizestreamError(f"{model}: a process died (out of memory?); try --workers 1") from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def render(genre: str, seed: int, seconds: float, temperature: float, keep: bool) -> dict[str, Any]:
    """Render `seconds` of `genre` and describe it; with `keep` the `audio` [channels, n] at `RATE` comes along.

    As `noizestream render` would: behind the output safety. `resets` counts blocks that the model spoilt.
    """
    from noizestream.engine.safety import SafeStream

    metadata = _generator.metadata
    _generator.set_genre(genre)
    _generator.set_control("temperature", temperature)
    _generator.reset(seed)
    stream, wanted = SafeStream(_generator), round(seconds * metadata.sample_rate)
    blocks = [stream.step() for _ in range(-(-wanted // metadata.block_frames))]
    audio = _at_rate(np.concatenate(blocks, axis=1)[:, :wanted], metadata.sample_rate)
    described = describe_audio(audio.mean(axis=0))
    return described | {"resets": stream.resets} | ({"audio": audio} if keep else {})


def probe(genre: str, known: list[Excerpt], unseen: list[Excerpt]) -> dict[str, Any]:
    """`{"prediction": ..., "codec": ...}` of probing.py, None where not offered."""
    from noizestream.analysis.probing import Probe, codec, prediction

    asked = Probe(_generator.module, _generator.metadata)
    tempos = _generator.metadata.extra.get("tempos")
    tempo = tempos.get(genre) if isinstance(tempos, dict) else None
    try:
        return {"prediction": prediction(asked, genre, tempo, known, unseen), "codec": codec(asked, unseen)}
    except Skip as error:
        raise NoizestreamError(f"{genre}: a file changed while it was evaluated ({error})") from None


def _open(model: Path) -> None:
    global _generator
    from noizestream.engine.generator import load

    _generator = load(model)


def _open_quietly(model: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the parent speaks of an interruption, once
    logging.getLogger("noizestream").setLevel(logging.ERROR)  # and of the golden check
    _open(model)


def _at_rate(audio: np.ndarray, rate: int) -> np.ndarray:
    import soxr

    return audio if rate == RATE else np.ascontiguousarray(soxr.resample(audio.T, rate, RATE, quality="HQ").T)
