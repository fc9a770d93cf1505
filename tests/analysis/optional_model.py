"""A stereo model with the optional methods, each so simple that its figures are known."""

import torch
from torch import Tensor, nn

from tests import foreign_models

METADATA = foreign_models.METADATA | {"genres": ["b", "A"], "controls": foreign_models.METADATA["controls"][:1]}


class Persistent(nn.Module):
    """Predicts that the last frame stays; finds every block of its first genre 2 nats surprising and of its second 1.

    Its slots last 16 blocks: its first layer goes on for ever, its second jumps back after four of them.
    """

    @torch.jit.export
    def initial_state(self) -> list[Tensor]:
        return [torch.zeros(1)]

    @torch.jit.export
    def step(self, genre: Tensor, controls: Tensor, noise: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        return (noise.view(2, 256) - 0.5) * 0.3 * controls[0], [state[0] + 1]

    @torch.jit.export
    def places(self, state: list[Tensor]) -> Tensor:
        slot = (state[0].long() - 1) // 16
        return torch.cat([slot, slot % 4])

    @torch.jit.export
    def encode(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        frames = audio.mean(0)[: audio.shape[1] // 256 * 256].view(-1, 8, 32)
        bands = torch.log(frames.square().mean(-1).sqrt() + 1e-4)
        return 2 * bands[:, :4], bands

    @torch.jit.export
    def score(self, audio: Tensor, genre: Tensor) -> tuple[Tensor, Tensor]:
        bands = self.encode(audio)[1]
        before = torch.cat([torch.zeros_like(bands[:1]), bands[:-1]])
        return torch.full([len(bands)], 2.0) - genre[1], before

    @torch.jit.export
    def reconstruct(self, audio: Tensor) -> Tensor:
        return 0.5 * audio


class Clocked(Persistent):
    """The same, and with known beats its nats are the beats."""

    @torch.jit.export
    def score_at(self, audio: Tensor, genre: Tensor, beat: Tensor) -> tuple[Tensor, Tensor]:
        return beat.float(), self.score(audio, genre)[1]


class Lost(Persistent):
    """Its places are no numbers of slots."""

    @torch.jit.export
    def places(self, state: list[Tensor]) -> Tensor:
        return torch.zeros(3)


class Failing(Persistent):
    """Its reconstruct raises."""

    @torch.jit.export
    def reconstruct(self, audio: Tensor) -> Tensor:
        return audio.view(3, 1000)
