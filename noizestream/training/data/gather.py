"""The music of a training, decoded and analysed in parallel and through the feature cache: as much as the plan has time for."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from noizestream.errors import option
from noizestream.music.cache import Entry, FeatureCache, PieceCache
from noizestream.music.cuts import Cut
from noizestream.music.parallel import LIMIT_S, decode_cuts
from noizestream.music.skipped import Skipped
from noizestream.music.tracks import Library, Track
from noizestream.nn.spectral import block_frames_for
from noizestream.system.spawn import processes
from noizestream.training.config import Config
from noizestream.training.data.assemble import set_apart
from noizestream.training.data.selection import Selection, excerpt_for, length_of
from noizestream.training.plan import Plan

SURE = 3
"""Pieces that must be done before their time tells how long the others take: the first ones wait for processes that start."""

SLOW_FILE = 0.1
"""Share of the time that one file may hold a process up, besides what its length explains."""

Known = list[tuple[Track, float, Entry]]
"""Pieces: the track, where they begin in seconds, their arrays."""


class Gathering:
    """Gathers the pieces of `library`; what cannot be used is added to `skipped`."""

    def __init__(self, library: Library, config: Config, cache: FeatureCache, plan: Plan, skipped: list[Skipped]):
        self.plan, self.skipped = plan, skipped
        self._rate, self._block = config.sample_rate, block_frames_for(config.sample_rate, config.block_ms)
        self.tracks = [track for track in library.tracks if track.split != "test"]
        self.music_s = length_of(self.tracks)
        """About how many seconds of music there are."""
        self.planned_s = min(self.music_s, plan.music())
        excerpt = excerpt_for(self.planned_s, self.music_s, len(self.tracks), plan.genres)
        self._selection = Selection(self.tracks, excerpt, config.seed)
        self._stores = [PieceCache(cache)]
        if excerpt is not None:
            self._stores.append(PieceCache(cache, f"middle {excerpt:g}"))
        self._apart = set_apart(library, config.holdout)
        self._known: Known = []
        self._gathered_s = 0.0
        self._flying: deque[Cut] = deque()
        self._got: dict[Track, float] = {}
        self._decoded, self._decoded_s, self._first = 0, 0.0, 0.0

    def describe(self) -> str:
        """The plan, for a training of limited time; else how much music there is."""
        return self.plan.describe(self.planned_s) if self.plan.bounded else f"{self.music_s / 60:.0f} minutes of music"

    def outcome(self) -> list[str]:
        """What to say if not all of the music was taken."""
        if not self.plan.bounded or (not self._selection.left() and self._gathered_s > 0.9 * self.music_s):
            return []
        gathered, there = self._gathered_s / 60, self.music_s / 60
        all_of_it = f"{option('minutes')} {math.ceil(self.plan.minutes_for(self.music_s))} would hear all"
        return [f"learns from {gathered:.0f} of {there:.0f} minutes; {all_of_it}"]

    def run(
        self, then: Callable[[Track, np.ndarray], Any], workers: int | None, progress: Callable[[int, int], None]
    ) -> list[tuple[Track, Entry]]:
        """The arrays that `then` makes of every piece, in the order of the library and of time."""
        self._began_s = self.plan.elapsed()
        began = time.monotonic()
        count = min(processes(workers), len(self.tracks))
        limit_s = min(LIMIT_S, SLOW_FILE * self.plan.whole) if self.plan.bounded else LIMIT_S
        # Again, without a look at the clock, for genres whose first files could not be used: a model must know every genre.
        for genres in (None, self._missing, self._missing):
            cuts = self._wanted(count, None if genres is None else genres())
            for piece in decode_cuts(cuts, self.skipped, self._rate, count, then, limit_s, self._patience):
                arrays = self._stores[-1].put(piece.track, piece.start_s, piece.audio)
                self._arrived(piece.track, piece.start_s, arrays)
                self._measure(piece.track, self._seconds(arrays))
                progress(round(self._gathered_s), round(max(self.planned_s, self._gathered_s)))
            if self._patience() > 0:  # else some of these may have been given up, and are to be decoded the next time
                for cut in self._flying:
                    self._settled(cut)
            if not self._missing():
                break
        self.plan.took("preparing", began)
        number = {track: n for n, track in enumerate(self.tracks)}
        self._known.sort(key=lambda piece: (number[piece[0]], piece[1]))
        return [(track, arrays) for track, _, arrays in self._known]

    def _wanted(self, workers: int, missing: set[str] | None) -> Iterator[Cut]:
        """What to decode next: what there is time for, and a piece of each genre in any case. What is cached is not wanted."""
        self._flying = flying = deque[Cut]()
        for cut in self._selection.draw(missing):
            while len(flying) > workers + 1:  # decode_cuts has no more under way when it asks for another
                self._settled(flying.popleft())
            first = self._selection.given[cut.track.genre] <= cut.expected_s
            seconds = sum(other.expected_s for other in flying) + cut.expected_s
            if self.plan.bounded and not (first or missing or self.plan.fits(self._gathered_s, seconds, self._began_s)):
                self._selection.give_back(cut)
                break
            stored = next((found for store in self._stores if (found := store.get(cut.track))), [])
            for start_s, arrays in stored:
                self._arrived(cut.track, start_s, arrays)
            if stored:
                self._selection.drop(cut, sum(self._seconds(arrays) for _, arrays in stored))
                continue
            flying.append(cut)
            yield cut
            if missing and not self._missing() & missing:
                break

    def _patience(self) -> float:
        return math.inf if self._missing() else self.plan.patience(self._gathered_s)

    def _settled(self, cut: Cut) -> None:
        """All of `cut` that can be used has arrived: that much was given of its genre."""
        self._selection.given[cut.track.genre] += self._got.pop(cut.track, 0.0) - cut.expected_s
        if self._selection.last(cut):
            self._stores[-1].close(cut.track)

    def _arrived(self, track: Track, start_s: float, arrays: Entry) -> None:
        self._known.append((track, start_s, arrays))
        self._gathered_s += self._seconds(arrays)

    def _measure(self, track: Track, seconds: float) -> None:
        """Tell the plan at which rate pieces arrive: since the first one, as that had to wait for processes that start."""
        now = time.monotonic()
        self._got[track] = self._got.get(track, 0.0) + seconds
        if self._decoded:
            self._decoded_s += seconds
        else:
            self._first = now
        self._decoded += 1
        if self._decoded > SURE:
            self.plan.prepared = (now - self._first) / self._decoded_s

    def _seconds(self, arrays: Entry) -> float:
        return arrays.rows("bands") * self._block / self._rate

    def _missing(self) -> set[str]:
        """The genres of which nothing that can be learned from is there, but more music."""
        gathered = {track.genre for track, _, _ in self._known if track.split != "validation" and track not in self._apart}
        return self._selection.left() - gathered
