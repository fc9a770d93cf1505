"""Something to hear long before the codec has learned: a sequence model trained for some seconds, heard once and thrown away."""

import copy
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from noizestream.nn.codec import Codec
from noizestream.nn.moods import Moods
from noizestream.nn.notes import Notes
from noizestream.nn.predictor import Predictor
from noizestream.training.budget import Budget
from noizestream.training.config import Config
from noizestream.training.plan_loop import Coded
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
    notes: Notes,
    moods: Moods,
    prepared: Prepared,
    codes: Coded,
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
    pieces, coded = _beginnings(*codes, prepared)
    if not pieces:
        return None
    codec.eval()
    try:
        encoded = encode_all(codec, prepared, pieces, latents, device, lambda done, total: None)
        loop = _Brief(made, notes, moods, prepared, config, (pieces, encoded, coded), ([], [], []), device)
        loop.run(Budget(TRAINED_S), lambda *figures: None, stop, lambda: None)
    finally:
        codec.train()
        shutil.rmtree(latents, ignore_errors=True)
    return made.eval()


def _beginnings(pieces: list[Piece], codes: list[np.ndarray], prepared: Prepared) -> Coded:
    """Of every genre the beginnings of some pieces as recorded."""
    frames = round(LONGEST_S * prepared.sample_rate / prepared.block)
    kept: dict[int, list[tuple[Piece, np.ndarray]]] = {}
    for piece, coded in zip(pieces, codes, strict=True):
        of_genre = kept.setdefault(piece.genre, [])
        if piece.semitones == 0 and len(of_genre) < PIECES:
            of_genre.append((replace(piece, last=min(piece.last, piece.first + frames)), coded[:frames]))
    rows = [row for found in kept.values() for row in found]
    return [piece for piece, _ in rows], [coded for _, coded in rows]
