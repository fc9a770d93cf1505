"""What lies between the rings and the device, in shared memory: volume, meters, and the tap that a recording is taken from.

    header  int64   [HEADER_SLOTS]   every slot has exactly one writer
    meters  float64 [METER_SLOTS]
    tap     float32 [tap_samples]    everything played, interleaved: a second single-producer single-consumer queue

The callback (devices/callback.py) mixes up to MODEL_SLOTS rings: one that plays and, while two models are crossfaded, one that
leaves. It puts the sum through the volume into the device and, while TAP_ON, into the tap; the recorder
(session/recorder.py) empties that.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from noizestream.realtime.shared_memory import SharedBlock, fence

MODEL_SLOTS = 2

# header slots, with their writer
CALLBACKS = 0  # callback: calls served
PERIOD = 1  # callback: frames the device asks for at once, in one call or in several; of the newest burst that is over
DEVICE_UNDERFLOWS = 2  # callback: periods the audio server itself reported as late (not ours)
CHANNELS = 3  # main: samples per frame of the device and of every ring it plays
GAIN_FRAMES = 4  # main: frames a volume change of the whole range takes
TAP_SAMPLES = 5  # main: samples the tap holds; written once
TAP_ON = 6  # main: 1 while a recording runs
TAPPED = 7  # callback: samples ever put into the tap
TAKEN = 8  # recorder: samples ever taken from it
TAP_LOST = 9  # callback: frames that found no room in the tap, in whole calls
BURST = 10  # callback: frames asked for so far at BURST_AT
BURSTS = 11  # callback: bursts that are over
HEADER_SLOTS = 16

# meter slots
VOLUME_GAIN = 0  # main: linear gain the callback applies, at most 1 (gain above 0 dB is the worker's); 0 while muted
GAIN = 1  # callback: the gain it applies now, on its way to VOLUME_GAIN
PEAK = 2  # callback: largest |sample| since the screen last set it to 0
BURST_AT = 3  # callback: PortAudio's time of the burst that is going on, s
BALANCE = 4  # main: -1 the left side alone, 0 both as they are, 1 the right side alone
BALANCED = 5  # callback: the balance it applies now, on its way to BALANCE
METER_SLOTS = 16

MOST_BURST = 16384
"""Frames, twice what JACK has: so many make a burst of their own, should a host's clock stand still."""


@dataclass(frozen=True)
class OutputBusLayout:
    """The size that names a bus; picklable."""

    tap_samples: int

    @property
    def tap_offset(self) -> int:
        return 8 * (HEADER_SLOTS + METER_SLOTS)

    @property
    def size(self) -> int:
        return self.tap_offset + 4 * self.tap_samples


class OutputBus(SharedBlock):
    """NumPy views on the shared block. `create` in the main process, `attach` in the audio process; the creator removes it."""

    layout: OutputBusLayout

    def _view(self, buffer: Any, layout: OutputBusLayout) -> None:
        self.header = np.frombuffer(buffer, np.int64, HEADER_SLOTS)
        self.meters = np.frombuffer(buffer, np.float64, METER_SLOTS, 8 * HEADER_SLOTS)
        self.tap = np.frombuffer(buffer, np.float32, layout.tap_samples, layout.tap_offset)

    @classmethod
    def create(cls, channels: int, tap_samples: int = 0) -> "OutputBus":
        bus = cls._create(OutputBusLayout(tap_samples))
        bus.header[:], bus.meters[:] = 0, 0
        bus.header[[CHANNELS, TAP_SAMPLES]] = channels, tap_samples
        bus.meters[[VOLUME_GAIN, GAIN]] = 1.0
        return bus

    def take(self) -> np.ndarray:
        """Return a copy of all samples that wait in the tap, `[n]` interleaved, and free their room. Only the recorder calls it."""
        taken, tapped = int(self.header[TAKEN]), int(self.header[TAPPED])
        fence()  # the audio is read after the counter that vouches for it
        start, count = taken % max(self.layout.tap_samples, 1), tapped - taken
        samples = np.concatenate([self.tap[start : start + count], self.tap[: max(start + count - self.layout.tap_samples, 0)]])
        fence()  # and has been read before the callback may write over it
        self.header[TAKEN] = tapped
        return samples
