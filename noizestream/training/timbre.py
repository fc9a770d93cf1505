"""How the moods sound: what of a mood's own spectrum the frames leave out is added to them, calibrated by listening.

Pieces of one genre differ in timbre. The mood tells the frames which piece they are in (nn/moods.py), but they follow it by a third
or so, and all performances sound like the mean of the genre. What a mood sounds like is known of the training music: its
smoothed spectrum as a linear function of the mood. How far the played music follows is the regression of what is heard on that. The
rest is the table `Player.timbre`; no more of it than brings the spectra of the performances as far apart as those of the music.
"""

import numpy as np
import torch
from torch import Tensor

from noizestream.nn.player import LIMIT, Player
from noizestream.training.prepared import Piece, Prepared

RIDGE = 0.05
"""Of the windows' own variance: few windows must not be told apart by chance."""
WINDOWS_PER_NUMBER = 8
"""With fewer windows than so many times the numbers of a mood, nothing is added."""
LEAST_HEARD = 6
"""Performances before which nothing can be told."""


class Watched:
    """Means over the states of a performance, each shown to it after its block."""

    def __init__(self, player: Player):
        self._moods, self._mood_at, self._timbre_at = player.moods.size, player.sounding - 1, player.planned - 1
        self._seen: list[tuple[Tensor, Tensor]] = []

    def __call__(self, state: list[Tensor]) -> None:
        self._seen.append((state[self._mood_at][0, -self._moods :], state[self._timbre_at]))

    def mood(self) -> Tensor:
        """[MOODS]"""
        return torch.stack([mood for mood, _ in self._seen]).mean(0)

    def timbre(self) -> Tensor:
        """[bands]"""
        return torch.stack([timbre for _, timbre in self._seen]).mean(0)


class Timbre:
    """Of one genre: `heard` after every performance, then `table`."""

    @torch.no_grad()
    def __init__(self, player: Player, prepared: Prepared, pieces: list[Piece], genre: int, smooth: Tensor, frames: int):
        """From up to `frames` frames of each of `pieces`; smooth [tones, tones] blurs a spectrum."""
        one_hot = torch.eye(len(prepared.genres))[genre]
        tones, hop, window = player.front.tones, player.moods.hop, player.moods.window
        spectra, moods = [], []
        for piece in pieces:
            bands = torch.from_numpy(np.asarray(prepared.bands_of(piece)[:frames], np.float32))
            z = player.codec.encode(bands[None])[0].clamp(-LIMIT, LIMIT)
            for number, mood in enumerate(player.moods.read(z, one_hot)):
                middle = number * hop + hop // 2
                spectra.append(smooth @ bands[max(0, middle - window // 2) : middle + window // 2, :tones].mean(0))
                moods.append(mood)
        self.smooth, self.bands = smooth, player.front.bands
        self.enough = len(moods) >= WINDOWS_PER_NUMBER * player.moods.size
        told, meant = _centred(torch.stack(spectra)), _centred(torch.stack(moods))
        gram = meant.T @ meant
        ridge = RIDGE * len(moods) * torch.eye(len(gram))
        self.spectrum_of = torch.linalg.solve(gram + ridge, meant.T @ told)  # [moods, tones]
        self.apart = told.square().mean(0)
        self.meant = (meant @ self.spectrum_of).square().mean(0)
        self._spectra: list[Tensor] = []
        self._moods: list[Tensor] = []

    def heard(self, spectrum: Tensor, mood: Tensor) -> None:
        """A performance: its mean log magnitudes [tones], less what level and timbre added, and its mean mood [MOODS]."""
        self._spectra.append(self.smooth @ spectrum)
        self._moods.append(mood)

    def table(self) -> Tensor:
        """[MOODS, bands] nepers per unit of mood, so far."""
        table = torch.zeros(len(self.spectrum_of), self.bands)
        if not self.enough or len(self._moods) < LEAST_HEARD:
            return table
        made, asked = _centred(torch.stack(self._spectra)), _centred(torch.stack(self._moods)) @ self.spectrum_of
        followed = self.smooth @ (made * asked).mean(0) / (self.smooth @ asked.square().mean(0)).clamp(min=1e-6)
        followed = followed.clamp(0.0, 1.0)
        # With a share s of it, what varies by `made` varies by made + 2 s followed meant + s^2 meant.
        room = (self.smooth @ (self.apart - made.square().mean(0))).clamp(min=0.0) / self.meant.clamp(min=1e-6)
        share = torch.minimum(1.0 - followed, torch.sqrt(followed.square() + room) - followed)
        table[:, : len(share)] = share * self.spectrum_of
        return table


def _centred(rows: Tensor) -> Tensor:
    return rows - rows.mean(0)
