"""The whole generator as one pure step: predictor, sampling, decoder, synthesis. What `train` scripts and writes to the model file.

docs/model-format.md gives the contract of `step`. The state is a list of tensors that the caller keeps:

    h0 c0 h1 c1 ...   [1, hidden]        LSTM
    history           [CONTEXT, latent]  newest latent last
    beat              [] float64         position of the next frame, in beats
    phases, overlap-add tail, last noise (see phases.py)
"""

import math

import torch
from torch import Tensor, nn

from noizestream.nn.codec import CONTEXT, Codec
from noizestream.nn.phases import PhaseSynthesis
from noizestream.nn.predictor import Predictor, clock_features
from noizestream.nn.spectral import SpectralFront

LIMIT = 5.0
"""Latents stay within this many standard deviations: what training has seen, with room."""
BEAT_WRAP = 16.0
"""The longest period of the clock: positions are kept modulo it, so that they stay exact for days."""

CONTROLS = (
    {"name": "temperature", "min": 0.0, "max": 2.0, "default": 1.0, "unit": ""},
    {"name": "tempo", "min": 0.0, "max": 220.0, "default": 0.0, "unit": "BPM"},
    {"name": "beat", "min": -1.0, "max": 1e6, "default": -1.0, "unit": "beats"},
)


class Player(nn.Module):
    """Controls are temperature (0-2), tempo (BPM, 0 the genre's own) and beat (a position to follow, -1 to run free)."""

    tempos: Tensor
    spread: Tensor
    level: Tensor
    controls = CONTROLS

    def __init__(self, front: SpectralFront, codec: Codec, predictor: Predictor, tempos: Tensor, spread: Tensor):
        super().__init__()
        self.front, self.codec, self.predictor = front, codec, predictor
        self.synthesis = PhaseSynthesis(front)
        self.register_buffer("tempos", tempos)  # [G] BPM
        self.register_buffer("spread", spread)  # [G] factor on the deviations at temperature 1, calibrated on flux
        self.register_buffer("level", torch.zeros(len(tempos), front.bands))  # [G, bands] nepers, calibrated on the spectrum
        self.layers: int = predictor.recurrent.layers
        self.hidden: int = predictor.hidden
        self.latent: int = predictor.latent
        self.block: int = front.block
        self.sample_rate: int = front.sample_rate
        self.noise_size: int = 1 + self.latent + self.block
        self.beats_per_bpm: float = front.block / front.sample_rate / 60.0
        self.context: int = CONTEXT
        self.limit: float = LIMIT
        self.wrap: float = BEAT_WRAP

    @property
    def latency_frames(self) -> int:
        """From the first sample of a block to the middle of the frame that it begins."""
        return 2 * self.front.block

    def initial_state(self) -> list[Tensor]:
        """Silence heard, beat 0."""
        state = [torch.zeros(1, self.hidden) for _ in range(2 * self.layers)]
        state.append(torch.zeros(self.context, self.latent))
        state.append(torch.zeros([], dtype=torch.float64))
        return state + self.synthesis.initial_state()

    def step(self, genre: Tensor, controls: Tensor, noise: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """genre [G], controls [3], noise [1 + latent + block], state -> block [1, block], state."""
        cells = 2 * self.layers
        history, beat = state[cells], state[cells + 1]
        temperature, tempo, follow = controls[0], controls[1], controls[2].to(torch.float64)
        beat = torch.where(follow >= 0, follow, beat)
        own = torch.exp((genre * torch.log(self.tempos)).sum())
        tempo = torch.where(tempo > 0, tempo, own)

        clock = clock_features(beat, torch.ones_like(beat))
        mixture, recurrent = self.predictor.frame(history[-1], genre, clock, state[:cells])
        spread = (self.spread * genre).sum()
        z = self.sample(mixture[0], mixture[1], mixture[2], temperature, spread, noise[: 1 + self.latent])
        history = torch.cat([history[1:], z.unsqueeze(0)])
        log_bands = self.codec.decode_frame(history) + genre @ self.level
        audio, sound = self.synthesis(log_bands, noise[1 + self.latent :], state[cells + 2 :])

        beat = torch.remainder(beat + tempo.to(torch.float64) * self.beats_per_bpm, self.wrap)
        return audio.unsqueeze(0), recurrent + [history, beat] + sound  # noqa: RUF005 (TorchScript knows no unpacking)

    def sample(
        self, logits: Tensor, means: Tensor, log_deviations: Tensor, temperature: Tensor, spread: Tensor, noise: Tensor
    ) -> Tensor:
        """Draw a latent [latent]: logits [M], means and log_deviations [M, latent], noise [1 + latent] in (0, 1).

        One knob for two temperatures: the choice between components sharpens towards 0, their spread shrinks more gently.
        """
        probability = torch.softmax(logits / (0.15 + 0.35 * temperature * temperature), 0)
        chosen = (torch.cumsum(probability, 0) < noise[0]).sum().clamp(max=logits.shape[0] - 1)
        gauss = math.sqrt(2.0) * torch.erfinv(2 * noise[1:] - 1)
        width = torch.exp(log_deviations[chosen]) * (spread * (0.43 + 0.57 * temperature))
        return (means[chosen] + width * gauss).clamp(-self.limit, self.limit)
