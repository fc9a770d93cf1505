"""A complete noizestream model in a page: each genre is a tone.

    python examples/sine_model.py sine.ts
    noizestream play sine.ts

A model is any TorchScript module with `initial_state` and `step` that carries metadata.json (docs/model-format.md).
It needs torch only, not noizestream.
"""

import json
import math
import sys

import torch
from torch import Tensor, nn

RATE, BLOCK = 48000, 512
TONES = {"A": 220.0, "B": 440.0, "C": 880.0}


class SineModel(nn.Module):
    """A tone per genre, mixed by the genre weights; temperature makes the loudness waver."""

    def __init__(self) -> None:
        super().__init__()
        radians = torch.tensor(list(TONES.values()), dtype=torch.float64) * (2 * math.pi / RATE)
        self.register_buffer("radians", radians)  # [G], radians per sample
        self.register_buffer("time", torch.arange(1, BLOCK + 1, dtype=torch.float64))  # [BLOCK], samples since the last block

    @torch.jit.export
    def initial_state(self) -> list[Tensor]:
        """Phase [G] of each tone and the level [G] it was left at: everything that the next block has to know."""
        return [torch.zeros_like(self.radians), torch.zeros_like(self.radians)]

    @torch.jit.export
    def step(self, genre: Tensor, controls: Tensor, noise: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """genre [G] weights, controls [1] temperature, noise [1] in (0, 1) -> block [1, BLOCK] and the next state."""
        phase, level = state[0], state[1]
        loudness = 0.25 * (1.0 - 0.25 * controls[0] * noise[0])
        target = genre.double() * loudness
        levels = level[:, None] + (target - level)[:, None] * (
            self.time / len(self.time)
        )  # [G, BLOCK]: glides within a block, so no click
        phases = phase[:, None] + self.radians[:, None] * self.time
        block = (levels * torch.sin(phases)).sum(dim=0, keepdim=True).float()
        return block, [phases[:, -1] % (2 * math.pi), target]


METADATA = {
    "format_version": 1,
    "name": "sine",
    "sample_rate": RATE,
    "channels": 1,
    "block_frames": BLOCK,
    "latency_frames": 0,
    "genres": list(TONES),
    "controls": [{"name": "temperature", "min": 0.0, "max": 2.0, "default": 1.0, "unit": ""}],
    "noise_size": 1,
}


def write(path: str) -> None:
    """Script the module and save it with its metadata."""
    torch.jit.save(torch.jit.script(SineModel().eval()), path, _extra_files={"metadata.json": json.dumps(METADATA)})


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/sine_model.py OUT.ts")
    write(sys.argv[1])
