"""What lies between the rings and the device, in shared memory: volume, meters, and the tap that a recording is taken from.

    main, callback, recorder   the numbers that each of them writes (realtime/shared_memory.py), by name below
    tap  float32 [tap_samples] everything played, interleaved: a second single-producer single-consumer queue

The callback (devices/callback.py) mixes up to MODEL_SLOTS rings: one that plays and, while two models are crossfaded, one that
leaves. It puts the sum through the volume into the device and, while `tap_on`, into the tap; the recorder (session/recorder.py)
empties that.
"""

from dataclasses import dataclass

import numpy as np

from noizestream.realtime.shared_memory import WORD, SharedBlock, Side, Slots, fence, number

MODEL_SLOTS = 2


class BusMain(Slots, writer="main"):
    """What the main process asks for."""

    channels: int = number("samples per frame of the device and of every ring it plays")
    gain_frames: int = number("frames a volume change of the whole range takes")
    tap_samples: int = number("samples the tap holds; written once")
    volume_gain: float = number(
        "linear gain the callback applies, at most 1 (gain above 0 dB is the worker's); 0 while muted", initial=1.0
    )
    balance: float = number("-1 the left side alone, 0 both as they are, 1 the right side alone")
    peak_asked: int = number("grows whenever the peak has been read, which is to begin anew")


class BusCallback(Slots, writer="callback"):
    """What the callback has served."""

    callbacks: int = number("calls served")
    period: int = number("frames the device asks for at once, in one call or in several; of the newest burst that is over")
    device_underflows: int = number("periods the audio server itself reported as late (not ours)")
    tapped: int = number("samples ever put into the tap")
    tap_lost: int = number("frames that found no room in the tap, in whole calls")
    burst: int = number("frames asked for so far at `burst_at`")
    bursts: int = number("bursts that are over")
    gain: float = number("the gain it applies now, on its way to `volume_gain`", initial=1.0)
    balanced: float = number("the balance it applies now, on its way to `balance`")
    burst_at: float = number("PortAudio's time of the burst that is going on, s")
    loudest: float = number("largest |sample| since it has answered `peak_asked`")
    peak: float = number("`loudest` as it was when it has answered")
    peak_answered: int = number("the `peak_asked` it has answered")


class BusRecorder(Slots, writer="recorder"):
    """What the recorder takes."""

    tap_on: int = number("1 while a recording runs")
    taken: int = number("samples ever taken from the tap")


MOST_BURST = 16384
"""Frames, twice what JACK has: so many make a burst of their own, should a host's clock stand still."""


@dataclass(frozen=True)
class OutputBusLayout:
    """The size that names a bus; picklable."""

    tap_samples: int

    @property
    def tap_offset(self) -> int:
        """Byte at which the tap begins."""
        return WORD * OutputBus.words()

    @property
    def size(self) -> int:
        """Bytes of the whole block."""
        return self.tap_offset + 4 * self.tap_samples


class OutputBus(SharedBlock):
    """The shared block. `create` in the main process, `attach` in the audio process; close it in both, the creator removes it."""

    sides = (BusMain, BusCallback, BusRecorder)
    layout: OutputBusLayout
    main: BusMain
    callback: BusCallback
    recorder: BusRecorder

    def _view(self, layout: OutputBusLayout) -> None:
        self._tap = self._array("callback", np.float32, layout.tap_samples, layout.tap_offset)
        self._shown = 0.0  # what `peak` has returned of what the callback may still publish

    @classmethod
    def create(cls, channels: int, tap_samples: int = 0, *also: Side) -> "OutputBus":
        """Make a bus to a device of `channels`, to write what the main process and its recorder write, and `also` what others do.

        NoizestreamError where there is no room for it.
        """
        bus = cls._create(OutputBusLayout(tap_samples), ("main", "recorder", *also))
        bus.main.channels, bus.main.tap_samples = channels, tap_samples
        return bus

    def peak(self) -> float:
        """Return the largest |sample| played since this was last called, and have the callback begin anew. Main only.

        What is played before the callback has heard of it is not lost: that comes with the next call.
        """
        callback = self.callback
        if callback.peak_answered != self.main.peak_asked:
            return 0.0  # it was not called since
        fence()
        late, now = callback.peak, callback.loudest
        late, self._shown = late if late > self._shown else 0.0, now
        self.main.peak_asked += 1
        return max(late, now)

    def feed(self, samples: np.ndarray) -> bool:
        """Put `samples` [n], interleaved, into the tap; return whether there was room. Only a callback in Python calls it."""
        tapped, size = self.callback.tapped, self.layout.tap_samples
        if tapped - self.recorder.taken + len(samples) > size:
            return False
        fence()  # the recorder has read what is written over now
        self._tap[(tapped + np.arange(len(samples))) % max(size, 1)] = samples
        fence()
        self.callback.tapped = tapped + len(samples)
        return True

    def take(self) -> np.ndarray:
        """Return a copy of all samples that wait in the tap, `[n]` interleaved, and free their room. Only the recorder calls it."""
        taken, tapped, size = self.recorder.taken, self.callback.tapped, self.layout.tap_samples
        fence()  # the audio is read after the counter that vouches for it
        start, count = taken % max(size, 1), tapped - taken
        samples = np.concatenate([self._tap[start : start + count], self._tap[: max(start + count - size, 0)]])
        fence()  # and has been read before the callback may write over it
        self.recorder.taken = tapped
        return samples
