"""The plan: which notes come next, a quarter of a beat at a time. It gives the frames (predictor.py) melody and harmony to fill.

    codes of the last slot, of one bar and of four bars ago, genre, clock -> Linear -> LSTM = h
    h -> the bass's code; h and that -> the chords' code; ... (the voices of notes.py)

Codes are all or nothing: what the plan hears of itself is as sharp as what it learned from, whatever the temperature. A memory of
the latents themselves feeds on its own blur.

At play its state is a list:

    h, c     [1, hidden]
    codes    [memory, voices] int64   of the last slots, newest last
    slot     [] float64               the slot that it is in, -1 before the first
    notes    [1, partials]            what it asks for in that slot
"""

import torch
from torch import Tensor, nn

from noizestream.nn.clock import CLOCK_FEATURES
from noizestream.nn.notes import SLOTS_PER_BEAT, Notes
from noizestream.nn.recurrent import Recurrent

BAR, PHRASE = int(4 * SLOTS_PER_BEAT), int(16 * SLOTS_PER_BEAT)
"""Slots of one bar and of four, of music in four."""
EMBEDDING = 24
"""Numbers that stand for one code."""


LEAST = 0.03
"""A code is drawn only if it has at least this share of the likeliest one's chance."""


class Plan(nn.Module):
    """`sequence` for training; `foretell`, `draw` and `moved` for one slot. Code number `codes` stands for nothing yet."""

    number: Tensor

    def __init__(self, notes: Notes, genres: int, hidden: int, dropout: float = 0.0):
        super().__init__()
        self.notes = notes
        self.codes, self.voices, self.genres, self.hidden = notes.codes, notes.voices, genres, hidden
        codes, voices = notes.codes, notes.voices
        self.memory: int = PHRASE
        self.bar: int = BAR
        self.least: float = LEAST
        self.embed = nn.Embedding(voices * (codes + 1), EMBEDDING)
        self.register_buffer("number", torch.arange(voices) * (codes + 1), persistent=False)  # of each voice's first embedding
        self.enter = nn.Linear(3 * voices * EMBEDDING + genres + CLOCK_FEATURES, hidden)
        self.recurrent = Recurrent(hidden, hidden, 1)
        self.heads = nn.ModuleList([nn.Linear(hidden, codes) for _ in range(voices)])
        self.lower = nn.Embedding(voices * codes, hidden)  # what a voice's code tells the voices above
        nn.init.normal_(self.lower.weight, std=0.1)
        self.dropout = nn.Dropout(dropout)

    def remembered(self, history: Tensor) -> Tensor:
        """Embeddings [..., 3 * voices * EMBEDDING] of the last codes, of one bar and of four bars ago.

        history [..., memory, voices], newest last.
        """
        picked = torch.stack([history[..., -1, :], history[..., -self.bar, :], history[..., 0, :]], -2)
        return self.embed(picked + self.number).flatten(-3)

    def logits(self, h: Tensor, codes: Tensor) -> Tensor:
        """h [..., hidden], codes [..., voices] -> logits [..., voices, codes], each voice given the codes of those below it."""
        found: list[Tensor] = []
        for voice, head in enumerate(self.heads):
            found.append(head(torch.tanh(h)))
            h = h + self.lower(codes[..., voice] + voice * self.codes)
        return torch.stack(found, -2)

    def sequence(self, codes: Tensor, genre: Tensor, clock: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """codes [B, memory + S, voices]; genre [B, S, G], clock [B, S, C] -> logits [B, S, voices, codes] of the last S, state."""
        history = codes[:, :-1].unfold(1, self.memory, 1).transpose(-1, -2)  # [B, S, memory, voices]
        x = self.enter(torch.cat([self.dropout(self.remembered(history)), genre, clock], -1))
        h, state = self.recurrent.sequence(x, state)
        return self.logits(self.dropout(h), codes[:, self.memory :]), state

    def initial_state(self) -> list[Tensor]:
        """Before the first slot."""
        nothing = torch.full((self.memory, self.voices), self.codes)
        state = [torch.zeros(1, self.hidden), torch.zeros(1, self.hidden), nothing]
        return state + [torch.full([], -1.0, dtype=torch.float64), torch.zeros(1, self.notes.size)]  # noqa: RUF005

    def foretell(self, genre: Tensor, clock: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """The next slot: genre [1, G], clock [1, C], state -> h [1, hidden] for `draw` and `logits`, and the LSTM's [h, c]."""
        x = self.enter(torch.cat([self.remembered(state[2]).unsqueeze(0), genre, clock], -1))
        return self.recurrent.frame(x, state[:2])

    def draw(self, h: Tensor, numbers: Tensor, temperature: Tensor) -> Tensor:
        """Codes [1, voices] from h [1, hidden] with uniform numbers [voices] in (0, 1); at temperature 1 as learned.

        Of codes that are far less likely than the likeliest none is drawn (min-p sampling, Nguyen et al. 2024): there are so many
        that one would come every few slots, and what follows it was never learned.
        """
        drawn: list[Tensor] = []
        for voice, head in enumerate(self.heads):
            chances = torch.softmax(head(torch.tanh(h))[0] / (0.3 + 0.7 * temperature), 0)
            total = torch.cumsum(chances * (chances > self.least * chances.max()), 0)
            code = torch.searchsorted(total, numbers[voice : voice + 1] * total[-1]).clamp(max=self.codes - 1)
            h = h + self.lower(code + voice * self.codes)
            drawn.append(code)
        return torch.stack(drawn, 1)

    def moved(self, cells: list[Tensor], state: list[Tensor], codes: Tensor, slot: float, mood: Tensor) -> list[Tensor]:
        """The state in `slot`, which is to sound like `codes` [1, voices]; cells are what `foretell` returned for it.

        mood [1, n] goes with the notes to the frames; the plan has no use for it.
        """
        told = torch.cat([self.notes.sounding(codes), mood], 1)
        after = [torch.cat([state[2][1:], codes]), torch.full([], slot, dtype=torch.float64), told]
        return cells + after
