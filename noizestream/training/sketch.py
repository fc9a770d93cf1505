"""Something to hear long before the codec has learned: a sequence model trained for some seconds, heard once and thrown away."""

import copy
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from noizestream.nn.codec import Codec
from noizestream.nn.predictor import Predictor
from noizestream.training.budget import Budget
from noizestream.training.config import Config
from noizestream.training.prepared import Piece, Prepared
from noizestream.training.sequence_loop import SequenceLoop, encode_all

TRAINED_S = 15.0
PIECES, LONGEST_S = 6, 30.0
"""It learns from the beginnings of so many pieces of every genre."""


class _Brief(SequenceLoop):
    def at_least(self) -> int:
        return 1


def sketch(
    codec: Codec,
    predictor: Predictor,
    prepared: Prepared,
    config: Config,
    folder: Path,
    device: str,
    stop: Callable[[], bool],
) -> Predictor | None:
    """A copy of `predictor` that has learned for `TRAINED_S` seconds on the latents of `codec` as it is now.

    The codec learns on afterwards, so these weights are of no further use. `folder` holds the latents meanwhile. None if no piece
    is long enough to learn from.
    """
    made, latents = copy.deepcopy(predictor), folder / "latents" / "sketch"
    pieces = _beginnings(prepared, config)
    if not pieces:
        return None
    codec.eval()
    try:
        encoded = encode_all(codec, prepared, pieces, latents, device, lambda done, total: None)
        loop = _Brief(made, prepared, config, (pieces, encoded), ([], []), device)
        loop.run(Budget(TRAINED_S), lambda *figures: None, stop, lambda: None)
    finally:
        codec.train()
        shutil.rmtree(latents, ignore_errors=True)
    return made.eval()


def _beginnings(prepared: Prepared, config: Config) -> list[Piece]:
    """Of every genre the beginnings of some pieces as recorded, as far as they are long enough to learn from."""
    frames = max(config.frames + 1, round(LONGEST_S * prepared.sample_rate / prepared.block))
    kept: dict[int, list[Piece]] = {}
    for piece in prepared.of("training"):
        of_genre = kept.setdefault(piece.genre, [])
        if piece.semitones == 0 and piece.frames > config.frames and len(of_genre) < PIECES:
            of_genre.append(replace(piece, last=min(piece.last, piece.first + frames)))
    return [piece for pieces in kept.values() for piece in pieces]
