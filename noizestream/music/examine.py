"""What will be learned of a recording, its mono mix and its channels: mended where they hide the music, else refused."""

import numpy as np

from noizestream.music.decode import MIN_S
from noizestream.music.skipped import Skip

SILENT_DBFS = -60.0
"""Clips whose mono mix has an RMS below this are skipped."""
SILENT_CHANNEL_DB = -60.0
"""A channel that lies so far under the loudest is left out."""
CANCELLED_DB = -10.0
"""Channels cancel each other where mixing leaves so much less than it would of sounds that have nothing in common."""
LOUDEST = 16.0
"""Floating-point samples beyond full scale are common after mixing; so far beyond, they are integers that were not scaled."""
INTEGERS = (2.0**15, 2.0**23, 2.0**31)
LOWEST_HZ = 20.0
"""An offset, or what is slower than this, is not heard."""


def examine(audio: np.ndarray, rate: int) -> tuple[np.ndarray, str]:
    """`mend` what is long enough to be learned from and not silent. Raises Skip for all else, with the reason."""
    seconds = audio.shape[-1] / rate
    if seconds < MIN_S:
        raise Skip(f"too short: {seconds:.1f} s, at least {MIN_S:g} s are needed")
    audio, note = mend(audio, rate)
    if _power(audio.mean(axis=0), rate) < 10 ** (SILENT_DBFS / 10):
        raise Skip(f"silent: below {SILENT_DBFS:g} dBFS throughout")
    return audio, note


def mend(audio: np.ndarray, rate: int) -> tuple[np.ndarray, str]:
    """`audio` [channels, n] with integers scaled to 1, without silent channels or such that cancel; and in words what was done.

    The words are "" where nothing was to be done, as with silence. Raises Skip for NaN or infinite samples and absurd levels.
    """
    if not np.isfinite(audio).all():
        raise Skip("has NaN or infinite samples")
    notes = []
    peak = float(np.abs(audio).max(initial=0.0))
    if peak > LOUDEST:
        scale = next((scale for scale in INTEGERS if peak <= scale), None)
        if scale is None:
            raise Skip(f"samples of up to {peak:.3g}, where 1 is full scale")
        audio = audio / np.float32(scale)
        notes.append(f"samples of up to {peak:,.0f}, where 1 is full scale: divided by {scale:,.0f}")
    powers = np.array([_power(channel, rate) for channel in audio])
    if powers.max(initial=0.0) < 10 ** (SILENT_DBFS / 10):
        return audio, "; ".join(notes)
    loud = powers > powers.max() * 10 ** (SILENT_CHANNEL_DB / 10)
    if not loud.all():
        notes.append(f"{np.sum(~loud)} of its {len(loud)} channels silent: left out")
        audio, powers = audio[loud], powers[loud]
    if len(audio) * _power(audio.mean(axis=0), rate) < powers.mean() * 10 ** (CANCELLED_DB / 10):
        notes.append("its channels cancel each other: only the loudest is used")
        audio = audio[[powers.argmax()]]
    return audio, "; ".join(notes)


def _power(channel: np.ndarray, rate: int) -> float:
    """Mean square of what can be heard of `channel` [n]."""
    size = max(1, min(round(rate / LOWEST_HZ), len(channel)))
    return float(channel[: len(channel) // size * size].reshape(-1, size).var(axis=1).mean()) if len(channel) else 0.0
