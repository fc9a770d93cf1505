"""A prepared set without music: frames that are written here, so that every slot is known; and codes without frames."""

from pathlib import Path

import numpy as np
import torch

from noizestream.nn.codec import Codec
from noizestream.nn.layers import LayerFront, in_bytes
from noizestream.nn.spectral import SpectralFront
from noizestream.training.data.dataset import Piece, Prepared
from noizestream.training.data.memory import Coded

RATE, BLOCK = 16000, 128
FRONT, CODEC = SpectralFront(RATE, BLOCK), Codec(RATE, BLOCK, 1)
PER_SLOT = 10
"""Frames of a slot."""


def frames(slots: int, seed: int, patterns: int = 6) -> np.ndarray:
    """Slots that each play one of a few patterns of bands, at random: [slots * PER_SLOT, tones]."""
    random = np.random.default_rng(seed)
    kinds = np.random.default_rng(99).normal(-4, 1.5, (patterns, PER_SLOT, FRONT.tones))
    played = kinds[random.integers(0, patterns, slots)] + 0.1 * random.standard_normal((slots, PER_SLOT, FRONT.tones))
    return played.reshape(-1, FRONT.tones)


def prepared(folder: Path, pieces: list[tuple[int, np.ndarray, str]], first_beat: float = 0.0) -> Prepared:
    """`pieces` are genre, frames [T, tones], split; their first frame lies at `first_beat`."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (genre, bands, split) in enumerate(pieces):
        np.save(folder / f"{number}.bands.npy", bands.astype(np.float16))
        share = LayerFront(FRONT).percussive(torch.from_numpy(bands.astype(np.float16)).float())
        np.save(folder / f"{number}.struck.npy", in_bytes(share).numpy())
        # The rows are not the sound of the frames: each is of its own, always of two channels.
        size = Codec(RATE, BLOCK, 2).size
        np.save(folder / f"{number}.sound.npy", np.random.default_rng(number).integers(0, 256, (len(bands), size), np.uint8))
        np.save(folder / f"{number}.beats.npy", (first_beat + (np.arange(len(bands)) + 0.5) / PER_SLOT / 4).astype(np.float32))
        chroma = np.zeros((int(len(bands) * BLOCK / RATE / (2048 / 48000)) + 2, 12), np.float32)
        chroma[:, [0, 4, 7]] = 1.0  # C major throughout
        np.save(folder / f"{number}.chroma.npy", chroma)
        rows.append(Piece(str(number), genre, split, 0, len(bands), 0.5))
    genres = sorted({genre for genre, _, _ in pieces})
    count = len(genres)
    names = [f"genre {genre}" for genre in genres]
    return Prepared(folder, names, RATE, BLOCK, 1, FRONT.tones, [187.5] * count, [1.0] * count, [9.0] * count, [1] * count, rows)


def coded(rows: list[np.ndarray], genres: list[int] | None = None, first: int = 0) -> list[Coded]:
    """Pieces of the codes [S, V]; the number of their first slot is `first`."""
    genres = genres or [0] * len(rows)
    return [
        Coded(genre, piece, np.arange(len(code)) + first, code.astype(np.int64), True)
        for piece, (genre, code) in enumerate(zip(genres, rows, strict=True))
    ]
