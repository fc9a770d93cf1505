"""A balanced part of a library, for a training that has no time for all: every beginning of it is as even as can be."""

import math
from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np

from noizestream.music.cuts import Cut, cuts_of
from noizestream.music.tracks import Track

SAMPLED = 400
"""Headers that are read to tell how long a library is."""
EXCERPTS_S = (10.0, 15.0, 22.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0)
"""Of each piece of a track so much is taken where not all can be. Few lengths: what was analysed once is found again."""
LONG_S = 45.0
"""So much of a track shows how its bars follow each other: rather fewer tracks than less of each, if every genre has three."""


def length_of(tracks: Sequence[Track]) -> float:
    """About how many seconds of music there are, by the headers of all tracks, or of some where there are many."""
    some = tracks if len(tracks) <= SAMPLED else [tracks[i] for i in np.linspace(0, len(tracks) - 1, SAMPLED).astype(int)]
    seconds = [cut.expected_s for track in some for cut in cuts_of(track)]
    return sum(seconds) * len(tracks) / max(1, len(some))


def excerpt_for(fits_s: float, music_s: float, tracks: int, genres: int) -> float | None:
    """Seconds to take of each piece of a track where `fits_s` of `music_s` are to be learned from; None: all of it."""
    if fits_s >= music_s:
        return None
    each = max(fits_s / max(1, tracks), min(LONG_S, fits_s / (3 * max(1, genres))))
    return next((excerpt for excerpt in EXCERPTS_S if excerpt >= each), None)


class Selection:
    """The cuts of `tracks` in an order of which every beginning is balanced: always one of the genre of which least was given out.

    Of a genre all tracks come before any comes again with another piece, in an order that `seed` decides.
    """

    def __init__(self, tracks: Sequence[Track], excerpt_s: float | None, seed: int):
        self.given: dict[str, float] = {}
        """Seconds given out per genre."""
        self._excerpt_s = excerpt_s
        self._waiting: dict[str, deque[Track]] = {}
        self._begun: dict[str, deque[deque[Cut]]] = {}
        rng = np.random.default_rng([seed, 11])
        for genre in sorted({track.genre for track in tracks}):
            own = [track for track in tracks if track.genre == genre]
            self._waiting[genre] = deque(own[i] for i in rng.permutation(len(own)))
            self._begun[genre], self.given[genre] = deque(), 0.0

    def left(self) -> set[str]:
        """The genres of which there is more."""
        return {genre for genre in self.given if self._waiting[genre] or self._begun[genre]}

    def draw(self, genres: set[str] | None = None) -> Iterator[Cut]:
        """Give out cuts, one after the other, of these genres (None: all) until there is no more."""
        while among := self.left() & (self.given.keys() if genres is None else genres):
            genre = min(sorted(among), key=self.given.__getitem__)
            cut = self._next(genre)
            self.given[genre] += cut.expected_s
            yield cut

    def give_back(self, cut: Cut) -> None:
        """Take `cut` back: it was not used, and may be given out later."""
        self.given[cut.track.genre] -= cut.expected_s
        self._begun[cut.track.genre].appendleft(deque([cut]))

    def drop(self, cut: Cut, seconds: float) -> None:
        """Instead of `cut`, `seconds` of its track are there already: no more cuts of that."""
        genre = cut.track.genre
        self.given[genre] += seconds - cut.expected_s
        self._begun[genre] = deque(rest for rest in self._begun[genre] if rest[0].track != cut.track)

    def last(self, cut: Cut) -> bool:
        """Whether no more cuts of its track are to come."""
        return all(rest[0].track != cut.track for rest in self._begun[cut.track.genre])

    def _next(self, genre: str) -> Cut:
        if self._waiting[genre]:
            cuts = deque(self._shortened(cut) for cut in _spread(cuts_of(self._waiting[genre].popleft())))
        else:
            cuts = self._begun[genre].popleft()
        cut = cuts.popleft()
        if cuts:
            self._begun[genre].append(cuts)
        return cut

    def _shortened(self, cut: Cut) -> Cut:
        return cut if self._excerpt_s is None else cut.middle(self._excerpt_s)


def _spread(cuts: Sequence[Cut]) -> list[Cut]:
    """The same in an order that is soon everywhere: by the digits of their numbers, read backwards (van der Corput)."""
    digits = max(1, math.ceil(math.log2(len(cuts) + 1)))
    order = sorted(range(len(cuts)), key=lambda number: int(f"{number + 1:0{digits}b}"[::-1], 2))
    return [cuts[number] for number in order]
