"""What a model file must pass before it is written: its scripted form is the eager one, its stream is what was trained."""

from abc import abstractmethod
from typing import Any, Protocol

import torch
from torch import Tensor

from noizestream.errors import NoizestreamError
from noizestream.modelfile.noise import noise
from noizestream.training.export.script import is_quantised

STEPS = 24
TOLERANCE = 1e-3
"""Of networks whose kernels add in different orders."""
SOUND_TOLERANCE = 1e-3
"""Of samples."""


class Streamed(Protocol):
    """What the test must know of an architecture's player, which a recipe tells. A state is what the player's `step` returns."""

    @abstractmethod
    def continuous(self, player: Any, state: list[Tensor]) -> list[Tensor]:
        """What in `state` differs between two forms of `player` by rounding only: the LSTM, and what it says."""

    @abstractmethod
    def choices(self, player: Any, state: list[Tensor]) -> Tensor:
        """What `player` has chosen: rounding may choose otherwise of two that are all but equal, which then sound different."""

    @abstractmethod
    def cells(self, player: Any, state: list[Tensor]) -> list[Tensor]:
        """The state h0, c0, h1, c1, ... of the LSTM in `state`, each [1, hidden]."""

    @abstractmethod
    def at_once(self, player: Any, genre: Tensor, states: list[list[Tensor]]) -> list[Tensor]:
        """The LSTM's [h, c], each [layers, 1, hidden], after what it was fed between the `states`, as one sequence; genre [G]."""


def self_test(player: Any, scripted: Any, streamed: Streamed) -> None:
    """Raise NoizestreamError unless scripted equals eager, and the streamed LSTM equals the offline one."""
    with torch.inference_mode():
        genre = torch.full((player.genres,), 1 / player.genres)
        controls = torch.tensor([float(control["default"]) for control in player.controls])
        states = [player.initial_state()]
        for block in range(STEPS):
            draws = torch.from_numpy(noise(1, block, player.noise_size))
            # From the same state each time: what hears itself may make much of a rounding error after some blocks.
            expected, eager_state = player.step(genre, controls, draws, states[-1])
            got, scripted_state = scripted.step(genre, controls, draws, states[-1])
            states.append(eager_state)
            eager, other = (streamed.continuous(player, state) for state in (eager_state, scripted_state))
            known = all(bool((a - b).abs().max() <= TOLERANCE) for a, b in zip(eager, other, strict=True))
            alike = torch.equal(streamed.choices(player, eager_state), streamed.choices(player, scripted_state))
            if not known or (alike and not bool((expected - got).abs().max() <= SOUND_TOLERANCE)):
                raise NoizestreamError(
                    f"export: the scripted model differs from the trained one at block {block}; please report this"
                )
        if is_quantised(player):  # whole sequences run in float32 only
            return
        h, c = streamed.at_once(player, genre, states)
        offline = torch.stack([h[:, 0], c[:, 0]], dim=1).flatten(0, 1)
        if not bool((torch.cat(streamed.cells(player, states[-1])) - offline).abs().max() <= TOLERANCE):
            raise NoizestreamError("export: the streamed model differs from the trained one; please report this")
