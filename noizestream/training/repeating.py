"""How much of a genre is played again as it was, and from how far: what a player recalls (nn/recall.py), set by listening.

From how far: the distance, in beats, at which the training music is most like itself, of those that `measures.repeats` listens
to. How often: some performances are heard that recall as often as can be, others as often as those let expect; the share of these
that repeats beside the music's says how often is right. It grows faster than the chance: a copy of a copy is nearer to it.
"""

from typing import Any

import numpy as np

from noizestream.analysis.measures import LOOK_BACK, MEASURED_S, WINDOW_S, repeats
from noizestream.nn.notes import SLOTS_PER_BEAT
from noizestream.nn.player import Player
from noizestream.training.perform import generate, one_hot
from noizestream.training.prepared import Piece, Prepared

BEATS = (4, 8, 16, 3, 6, 12)
"""Bars of music in four and in three, one, two and four of them."""
CLEARER = 0.95
"""Share of what the nearer distance leaves unexplained that a later one in `BEATS` must come to."""
MOST_CHANCE = 0.95
"""Even what repeats itself all the time is begun anew after twenty bars or so."""
SCOUTS = 2
"""One performance of so many recalls as often as can be."""
FURTHER = 1.5
"""By no more than this factor do the others change the chance: where little repeats, few performances may have none of it."""
FEWEST = 0.02
"""Share of the music that repeats under which nothing is recalled."""
QUIETEST = 7.0
"""Nepers under the loudest band: below is nothing, no movement and no onset."""
LISTENED = 12_000
"""Frames of a piece at most: two minutes tell how far apart its bars come again, and an hour would fill the memory."""
POOLED = 4
"""Bands that are compared as one: single ones are as much chance as music."""


def performed_s(seconds: float) -> float:
    """Seconds of each performance that is listened to; a calibration whose tries are shorter listens less here, too."""
    return min(MEASURED_S, 2.5 * seconds)


def calibrate_recall(
    player: Player, scripted: Any, prepared: Prepared, pieces: list[Piece], number: int, seconds: float, seeds: range
) -> float:
    """Set `player.recall.chance` and `.lag` of genre `number` from its `pieces`; returns the share that repeats when it is played.

    `scripted` is the same player in any form; it shares these tables with `player`. Each of `seeds` performs for `seconds`.
    """
    wanted = prepared.repeats[number]
    player.recall.chance[number] = 0.0
    if wanted < FEWEST:
        return 0.0
    player.recall.lag[number] = SLOTS_PER_BEAT * distance(prepared, player.front.tones, pieces, prepared.tempos[number])
    sizes = (player.front.block, player.front.sample_rate, player.noise_size)
    genre = one_hot(number, len(prepared.genres))

    def share(chance: float, seeds: range) -> float:
        """Of performances that recall at `chance`, what repeats."""
        player.recall.chance[number] = chance
        heard = [generate(scripted, genre, seconds, seed, sizes).mean(0).numpy() for seed in seeds]
        return float(np.mean([repeats(sound, player.front.sample_rate) for sound in heard]))

    few = len(seeds) // SCOUTS
    expected = MOST_CHANCE * min(1.0, wanted / max(share(MOST_CHANCE, seeds[:few]), 1e-6))
    made = share(expected, seeds[few:])
    off = min(max(wanted / max(made, 1e-6), 1 / FURTHER), FURTHER)
    chance = min(MOST_CHANCE, expected * off)
    player.recall.chance[number] = chance
    return made * chance / expected


def distance(prepared: Prepared, tones: int, pieces: list[Piece], tempo: float) -> int:
    """Beats, one of `BEATS`, at which `pieces` of a tempo in BPM are most like themselves; the first where none is."""
    best, least = BEATS[0], 1.0 / CLEARER
    size = round(WINDOW_S * prepared.sample_rate / prepared.block)
    heard = [(picture(prepared, tones, piece), np.asarray(prepared.beats_of(piece), np.float64)) for piece in pieces]
    for beats in BEATS:
        if 60 / tempo * beats > LOOK_BACK * WINDOW_S:
            continue
        left = float(np.mean([unexplained(bands, at, size, beats) for bands, at in heard]))
        if left < CLEARER * least:
            best, least = beats, left
    return best


def picture(prepared: Prepared, tones: int, piece: Piece) -> np.ndarray:
    """What is heard of a piece's bands: log magnitudes [T, tones / `POOLED`], T at most `LISTENED`."""
    bands = np.asarray(prepared.bands_of(piece)[:LISTENED, :tones], np.float32)
    loud = np.maximum(bands, bands.max() - QUIETEST)
    return loud[:, : tones // POOLED * POOLED].reshape(len(loud), -1, POOLED).mean(2)


def unexplained(bands: np.ndarray, at: np.ndarray, size: int, beats: int) -> float:
    """Share of how stretches of `size` frames move that what was played so many `beats` before does not explain: at most 1 each.

    bands [T, n] log magnitudes, at [T] beats.
    """
    shares = []
    for start in range(0, len(bands) - size, size):
        before = int(np.searchsorted(at, at[start] - beats))
        if not 1 <= before < start:
            continue
        window = bands[start : start + size]
        moved = np.square(window - window.mean(0)).sum()
        away = min(np.square(window - bands[first : first + size]).sum() for first in (before - 1, before, before + 1))
        shares.append(min(1.0, away / max(moved, 1e-6)))
    return float(np.mean(shares)) if shares else 1.0
