"""The mood: what a stretch of music is like as a whole, in a few numbers that stand still while the frames go by.

Pieces of one genre differ in timbre, density and brightness, and a piece keeps to its own for many bars. An LSTM that hears only
its own last frames forgets which piece it is playing and drifts to the mean of all. So it is told: means and deviations of the
latents over some seconds, less those of the genre, on the few directions in which music varies most (PCA, whitened). In training
it hears the mood of the music that it reads; at play it goes through those of the training music in their order, piece by piece.
"""

import torch
from torch import Tensor, nn

MOODS = 12
"""Numbers that make a mood."""
HOP_S, WINDOW_S = 4.0, 8.0
"""A mood lasts `HOP_S` and is taken over `WINDOW_S`, centred."""
HOP_BEATS = 8.0
"""At play it lasts so many beats."""
MOST = 256
"""Moods kept of one genre: 17 minutes."""
WINDOWS_PER_DIRECTION = 6
"""Fewer windows than so many times the directions would make every piece a mood of its own."""


class Moods(nn.Module):
    """`read` for training and priming; `moved` and `shown` at play. Before `fit` every mood is 0, the genre's mean."""

    projection: Tensor
    centre: Tensor
    table: Tensor
    follows: Tensor
    count: Tensor
    each: Tensor

    def __init__(self, genres: int, latent: int, frames_per_second: float):
        super().__init__()
        self.genres, self.size = genres, MOODS
        self.hop: int = max(1, round(HOP_S * frames_per_second))
        self.window: int = max(1, round(WINDOW_S * frames_per_second))
        self.register_buffer("projection", torch.zeros(2 * latent, MOODS))
        self.register_buffer("centre", torch.zeros(genres, 2 * latent))
        self.register_buffer("table", torch.zeros(genres, MOST, MOODS))
        self.register_buffer("follows", torch.zeros(genres, MOST, dtype=torch.bool))  # the next mood is of the same piece
        self.register_buffer("count", torch.ones(genres))
        self.register_buffer("each", torch.arange(genres), persistent=False)

    def describe(self, z: Tensor) -> Tensor:
        """Latents z [T, latent] -> mean and deviation around every hop [T / hop rounded up, 2 * latent]."""
        found: list[Tensor] = []
        for start in range(0, z.shape[0], self.hop):
            middle = start + self.hop // 2
            around = z[max(0, middle - self.window // 2) : middle + self.window // 2]
            found.append(torch.cat([around.mean(0), around.std(0, correction=0)]))
        return torch.stack(found)

    def project(self, described: Tensor, genre: Tensor) -> Tensor:
        """described [..., 2 * latent], genre [..., G] -> moods [..., MOODS], within what training has seen."""
        return ((described - genre @ self.centre) @ self.projection).clamp(-3.0, 3.0)

    def read(self, z: Tensor, genre: Tensor) -> Tensor:
        """Latents z [T, latent] of genre [G] -> moods [hops, MOODS]; frame t has number t // hop."""
        return self.project(self.describe(z), genre.unsqueeze(0))

    @torch.no_grad()
    def fit(self, described: list[Tensor], genres: list[int], keep_directions: bool = False) -> None:
        """From `describe` of every training piece and its genre: the directions, unless they are kept, and the table."""
        of = [[rows for rows, genre in zip(described, genres, strict=True) if genre == number] for number in range(self.genres)]
        apart = []
        for number, pieces in enumerate(of):
            if pieces:
                together = torch.cat(pieces)
                self.centre[number] = together.mean(0)
                apart.append((together - self.centre[number]) / len(together) ** 0.5)  # every genre counts alike
        if not keep_directions:
            rows = torch.cat(apart).double()
            values, vectors = torch.linalg.eigh(rows.T @ rows / len(apart))
            few = min(MOODS, sum(map(len, described)) // WINDOWS_PER_DIRECTION)
            self.projection.zero_()
            for column in range(few):
                self.projection[:, column] = (vectors[:, -1 - column] / values[-1 - column].clamp(min=1e-8).sqrt()).float()
        eye = torch.eye(self.genres, device=self.centre.device)
        for number, pieces in enumerate(of):
            rows, last = self.table[number], 0
            for piece in pieces:
                moods = self.project(piece, eye[number][None])[: MOST - last]
                rows[last : last + len(moods)] = moods
                self.follows[number, last : last + len(moods)] = torch.arange(len(moods)) < len(moods) - 1
                last += len(moods)
            self.count[number] = max(1, last)

    def initial_state(self) -> Tensor:
        """[G] int64, the place in the table for each genre: none yet."""
        return torch.full((self.genres,), -1)

    def moved(self, places: Tensor, number: Tensor) -> Tensor:
        """The next mood of the piece; after its last one, and at the start, that which number [1] in (0, 1) names."""
        before = places.clamp(min=0)
        goes_on = self.follows[self.each, before] & (places >= 0)
        return torch.where(goes_on, places + 1, (number * self.count).to(torch.int64))

    def shown(self, places: Tensor, genre: Tensor) -> Tensor:
        """places [G], genre [1, G] -> the mood [1, MOODS]."""
        return genre @ self.table[self.each, places.clamp(min=0)]

    def nearest(self, mood: Tensor) -> Tensor:
        """The place [G] in each genre's table that is most like mood [MOODS]: from there it goes on."""
        away = (self.table - mood).square().sum(-1)
        known = torch.arange(away.shape[1]).unsqueeze(0) < self.count.unsqueeze(1)
        return torch.where(known, away, torch.full_like(away, 1e9)).argmin(1)
