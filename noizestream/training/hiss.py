"""How much of a recording's treble is hiss rather than partials: bands of several bins do not tell the synthesis.

A recording's own bands are made sound again, as partials alone, as hiss alone and as half and half; what is as flat between its
peaks as the recording itself is right (spectral flatness, Gray and Markel 1974).
"""

import itertools

import numpy as np
import torch

from noizestream.nn.phases import PhaseSynthesis
from noizestream.nn.spectral import SpectralFront

LOWEST_HZ, HIGHEST_HZ = 5000.0, 12000.0
WINDOW_MS = 43.0
"""Longer than the synthesis's own window for the treble: what it smears between two partials must show."""
QUIETEST = 1e-4
"""Frames with less than this share of the loudest one's power do not count."""
SECONDS = 5.0
TRIED = (0.0, 0.5, 1.0)


def hiss(audio: np.ndarray, front: SpectralFront) -> float:
    """The share of hiss, 0..1, in the treble of audio [channels, n]; NaN of one without treble or shorter than a few frames."""
    length = min(audio.shape[1], round(SECONDS * front.sample_rate))
    start = (audio.shape[1] - length) // 2
    sound = torch.from_numpy(np.ascontiguousarray(audio[:, start : start + length], np.float32))
    wanted = flatness(sound.mean(0), front.sample_rate)
    if np.isnan(wanted):
        return wanted
    with torch.inference_mode():
        bands = front.analyse(sound)
        white = torch.rand(len(bands), front.block, generator=torch.Generator().manual_seed(0)).clamp(1e-6, 1 - 1e-6)
        synthesis = PhaseSynthesis(front)
        made = [synthesis.stream(bands, white, share).mean(0) for share in TRIED]
    off = [flatness(sound, front.sample_rate) - wanted for sound in made]
    if np.isnan(off).any():
        return float("nan")
    for (less, more), (share, next_share) in zip(itertools.pairwise(off), itertools.pairwise(TRIED), strict=True):
        if less * more < 0:
            return share + (next_share - share) * less / (less - more)
    return TRIED[int(np.argmin(np.abs(off)))]


def flatness(sound: torch.Tensor, rate: int) -> float:
    """Mean spectral flatness, 0..1, of the treble of mono sound [n]; NaN where there is none."""
    size = 2 * round(WINDOW_MS * rate / 2000)
    first, last = round(LOWEST_HZ * size / rate), round(min(HIGHEST_HZ, 0.45 * rate) * size / rate)
    if len(sound) < 4 * size:
        return float("nan")
    spectra = torch.stft(sound, size, size // 2, window=torch.hann_window(size), center=False, return_complex=True)
    power = spectra[first:last].abs().square().double()
    loud = power.mean(0)
    heard = power[:, (loud > QUIETEST * loud.max()) & (loud > 1e-12)]
    if not heard.numel():
        return float("nan")
    return float((torch.log(heard + 1e-18).mean(0).exp() / heard.mean(0)).mean())
