"""From the channels of a model to those of a device, however many it has."""

import numpy as np


def map_channels(frames: np.ndarray, channels: int) -> np.ndarray:
    """Return `frames` `[n, C]` as `[n, channels]`: mono goes to all, all average to mono, else extra ones are dropped or silent."""
    have = frames.shape[1]
    if have == channels:
        return frames
    if have == 1:
        return np.repeat(frames, channels, axis=1)
    if channels == 1:
        return frames.mean(axis=1, keepdims=True, dtype=np.float32)
    mapped = np.zeros((len(frames), channels), frames.dtype)
    shared = min(have, channels)
    mapped[:, :shared] = frames[:, :shared]
    return mapped
