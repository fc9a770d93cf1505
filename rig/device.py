"""A device that plays nothing: it takes frames from a ring as the audio callback would, as fast as they come."""

import contextlib

import numpy as np

from noizestream.realtime.ring import Ring
from rig.waiting import wait_for


def take(ring: Ring, frames: int) -> np.ndarray:
    """Play `frames` as the callback would, waiting for them: `[frames, channels]`."""
    parts = [np.zeros((0, ring.layout.channels), np.float32)]
    with contextlib.closing(Ring.attach(ring.memory.name, ring.layout, "callback")) as device:
        while frames:
            wait_for(lambda: device.fill() > 0, "audio", every_s=0.001)
            count, played = min(device.fill(), frames), device.callback.played
            parts.append(device.read(played, played + count))
            device.callback.played += count
            frames -= count
    return np.concatenate(parts)
