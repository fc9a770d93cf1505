"""What music repeats: bars that are played again as they were, with the same notes and the same chances.

Where the music that was learned from plays a bar again, sampling would make another one of it: a likely one, never the same. So
the codes and the numbers that the frames of a slot were drawn with are remembered, and a bar may be recalled from some slots ago:
an LSTM that is given the same notes and the same numbers at the same place of the bar soon does the same. How often, and from how
far, is the genre's (training/repeating.py). The numbers come from a table, and to remember them is to remember where in it.
"""

import torch
from torch import Tensor, nn

BAR = 16
"""Slots for which is decided at once: a bar of music in four."""
STARTS = 32768
"""Places in the table where the numbers of a slot may begin."""
FRAMES = 128
"""Of one slot: a longer one begins its numbers anew."""
SURE = 1e-6
"""Frames: a sum of many roundings that falls short of a whole number is one."""


class Recall(nn.Module):
    """`numbers` of a frame, and what is kept of the slots. A performance at `chance` 0 never recalls."""

    gumbel: Tensor
    gauss: Tensor
    chance: Tensor
    lag: Tensor

    def __init__(self, genres: int, memory: int, choices: int, latent: int):
        super().__init__()
        random = torch.Generator().manual_seed(0)
        uniform = torch.rand(STARTS + FRAMES * choices, generator=random).clamp(2.0**-24, 1 - 2.0**-24)
        self.register_buffer("gumbel", -torch.log(-torch.log(uniform)))
        self.register_buffer("gauss", torch.randn(STARTS + FRAMES * latent, generator=random))
        self.register_buffer("chance", torch.zeros(genres))  # [G] that a bar is recalled, at temperature 1 and under
        self.register_buffer("lag", torch.full((genres,), float(BAR)))  # [G] slots from which it is
        self.memory: int = memory
        self.choices: int = choices
        self.latent: int = latent
        self.starts: int = STARTS
        self.frames: int = FRAMES
        self.bar: float = float(BAR)
        self.sure: float = SURE

    def initial_state(self) -> list[Tensor]:
        """What is remembered of the last slots [memory] int64, newest last (see `place`; somewhere each, none was drawn yet); the
        same of the slot that is played, and 1 if its bar is recalled [2] float64."""
        return [torch.arange(self.memory) * 509 % self.starts, torch.zeros(2, dtype=torch.float64)]

    def recalled(self, slot: float, last: float, again: float, chance: float, number: Tensor, temperature: float) -> float:
        """1 if the bar of `slot` is recalled, else 0. Where a bar begins number [] in (0, 1) decides; over temperature 1 it is less
        often."""
        if int(slot // self.bar) == int(last // self.bar):
            return again
        return 1.0 if float(number) < chance * min(1.0, 2.0 - temperature) else 0.0

    def ago(self, genre: int) -> int:
        """How many slots ago `genre` recalls from."""
        return int(self.lag[genre])

    def place(self, number: float, genre: int) -> int:
        """Where in the table a slot's numbers begin, as `number` in (0, 1) says; and the genre it is drawn in, in one number."""
        return int(number * self.starts) + self.starts * genre

    def known(self, place: int, genre: int) -> bool:
        """Whether it was drawn in that genre: what was played in another is not its to recall."""
        return place // self.starts == genre

    def numbers(self, place: float, frames: float) -> tuple[Tensor, Tensor]:
        """Gumbel draws [choices] and normal ones [latent] of a frame that lies so many `frames` into a slot at `place`."""
        start, frame = int(place) % self.starts, int(frames + self.sure) % self.frames
        gumbel = self.gumbel.narrow(0, start + frame * self.choices, self.choices)
        return gumbel, self.gauss.narrow(0, start + frame * self.latent, self.latent)
