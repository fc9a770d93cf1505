"""The plan: which notes come next, a quarter of a beat at a time. It gives the frames (predictor.py) melody and harmony to fill.

    code of the last slot, of one bar and of four bars ago, genre, clock -> Linear -> LSTM -> logits over the codes of this slot

Codes are all or nothing: what the plan hears of itself is as sharp as what it learned from, whatever the temperature. A memory of
the latents themselves feeds on its own blur.

At play its state is a list:

    h, c     [1, hidden]
    codes    [memory] int64   of the last slots, newest last
    slot     [] float64       the slot that it is in, -1 before the first
    notes    [1, partials]    what it asks for in that slot
"""

import torch
from torch import Tensor, nn

from noizestream.nn.clock import CLOCK_FEATURES
from noizestream.nn.notes import SLOTS_PER_BEAT, Notes
from noizestream.nn.recurrent import Recurrent

BAR, PHRASE = int(4 * SLOTS_PER_BEAT), int(16 * SLOTS_PER_BEAT)
"""Slots of one bar and of four, of music in four."""
EMBEDDING = 64


class Plan(nn.Module):
    """`sequence` for training, `frame` for one slot. Code number `codes` stands for nothing yet."""

    def __init__(self, notes: Notes, genres: int, hidden: int, dropout: float = 0.0):
        super().__init__()
        self.notes = notes
        self.codes, self.genres, self.hidden = notes.codes, genres, hidden
        codes = notes.codes
        self.memory: int = PHRASE
        self.bar: int = BAR
        self.embed = nn.Embedding(codes + 1, EMBEDDING)
        self.enter = nn.Linear(3 * EMBEDDING + genres + CLOCK_FEATURES, hidden)
        self.recurrent = Recurrent(hidden, hidden, 1)
        self.head = nn.Linear(hidden, codes)
        self.dropout = nn.Dropout(dropout)

    def remembered(self, history: Tensor) -> Tensor:
        """Embeddings [..., 3 * EMBEDDING] of the last code, of one bar and of four bars ago: history [..., memory], newest last."""
        picked = torch.stack([history[..., -1], history[..., -self.bar], history[..., 0]], -1)
        return self.embed(picked).flatten(-2)

    def sequence(self, codes: Tensor, genre: Tensor, clock: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """codes [B, memory + S]; genre [B, S, G], clock [B, S, C] -> logits [B, S, codes] of the last S of them, state."""
        history = codes[:, :-1].unfold(1, self.memory, 1)  # [B, S, memory]
        x = self.enter(torch.cat([self.dropout(self.remembered(history)), genre, clock], -1))
        h, state = self.recurrent.sequence(x, state)
        return self.head(self.dropout(h)), state

    def initial_state(self) -> list[Tensor]:
        """Before the first slot."""
        nothing = torch.full((self.memory,), self.codes)
        state = [torch.zeros(1, self.hidden), torch.zeros(1, self.hidden), nothing]
        return state + [torch.full([], -1.0, dtype=torch.float64), torch.zeros(1, self.notes.size)]  # noqa: RUF005

    def foretell(self, genre: Tensor, clock: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """The next slot: genre [1, G], clock [1, C], state -> logits [codes] of what it may be, and the LSTM's [h, c]."""
        x = self.enter(torch.cat([self.remembered(state[2]).unsqueeze(0), genre, clock], -1))
        h, cells = self.recurrent.frame(x, state[:2])
        return self.head(h)[0], cells

    def draw(self, logits: Tensor, number: Tensor, temperature: Tensor) -> Tensor:
        """One code [1] from logits [codes] with a uniform number [] in (0, 1); at temperature 1 a little surer than learned."""
        total = torch.cumsum(torch.softmax(logits / (0.3 + 0.6 * temperature), 0), 0)
        return torch.searchsorted(total, (number * total[-1]).unsqueeze(0)).clamp(max=self.codes - 1)

    def moved(self, cells: list[Tensor], state: list[Tensor], code: Tensor, slot: float) -> list[Tensor]:
        """The state in `slot`, which is to sound like `code` [1]; cells are what `foretell` returned for it."""
        notes = self.notes.book.index_select(0, code)
        after = [torch.cat([state[2][1:], code]), torch.full([], slot, dtype=torch.float64), notes]
        return cells + after
