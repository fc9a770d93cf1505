"""How the wall time of a training is shared out: planned from rates, first remembered ones, then those that are measured.

Learning comes first: at least `LEARNING` of the time. What prepares it has at most `PREPARING`, and less where the stages after
it need more. What does not fit is left out: music, then previews. The plan is only as good as its rates, so it is asked again
whenever something has taken its time.
"""

import math
import time
from dataclasses import dataclass, field, replace

from noizestream.errors import UsageError, option
from noizestream.system import machine

LEARNING = 0.46
"""Share of the time that is kept for the sequence model; a little more than the 40 % that are promised."""
PREPARING = 1 / 3
"""Share of the time that reading and analysing music may take, at most."""
PREVIEW, LAST_PREVIEW = 0.02, 0.04
"""Share of the time that a preview on the way, or the one at the end, may take."""
SPARE = 0.01
"""Share of the time that is left free for what nobody has foreseen."""

# Measured on one core of a 2.6 GHz server, in seconds; `slowness` says how much longer this machine takes just now.
PREPARED = 0.08
"""To prepare a second of music, on one core."""
MEMORISED = 0.006
"""To take a second of prepared music into the memory."""
MEMORY, CLUSTERED, SCRIPTED, STARTED = 5.0, 0.1, 1.5, 5.0
"""To begin a memory, to cluster a genre, to script and test a model once, to start the processes that decode."""
PREVIEWED = 1.6
"""To preview a genre."""
REFERENCE_S = 0.0082
"""What a turn of `probe` takes where those were measured."""
PROBED_S = 0.6
"""So long the probe takes: long enough to notice who else wants the cores."""
LEAST_LEARNING = 0.25
"""Share of the time that must be left for learning, or a training is refused."""
FEWEST_MUSIC_S = 10.0
"""Music of each genre that must fit."""


def probe() -> tuple[float, float]:
    """How much longer this machine takes than the one whose rates are known: just now, and once it has nothing else to do.

    1 is as fast.
    """
    import torch

    from noizestream.training.threads import one_thread

    network, sequence = torch.nn.LSTM(256, 256, batch_first=True), torch.zeros(1, 256, 256)
    with one_thread(), torch.inference_mode():
        network(sequence)
        began, used, turns = time.monotonic(), time.process_time(), 0
        while time.monotonic() < began + PROBED_S:
            network(sequence)
            turns += 1
    unit = turns * REFERENCE_S
    return (time.monotonic() - began) / unit, (time.process_time() - used) / unit


@dataclass
class Plan:
    """The time from `started` (a time.monotonic()) on, `whole` seconds in all; 0 of them means that nothing is bounded."""

    whole: float
    started: float
    genres: int = 1
    slowness: float = 1.0
    workers: int = field(default_factory=machine.cores)
    prepared: float = 0.0
    """Seconds to prepare a second of music, all processes together, once measured."""
    scripted: float = 0.0
    """Seconds to script and test a model, once measured."""
    spent: dict[str, float] = field(default_factory=dict)
    """Seconds that the stages have taken, by name."""

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    @property
    def bounded(self) -> bool:
        """Whether there is a time to keep."""
        return self.whole > 0

    def preparing(self, music_s: float) -> float:
        """Seconds that `music_s` seconds of music take to prepare."""
        return music_s * (self.prepared or PREPARED * self.slowness / self.workers)

    def memory(self, music_s: float) -> float:
        """Seconds that the memory of `music_s` seconds of music takes."""
        return self.slowness * (MEMORY + music_s * MEMORISED + CLUSTERED * self.genres)

    def finish(self) -> float:
        """Seconds that the last preview and the export take."""
        preview = min(LAST_PREVIEW * self.whole, PREVIEWED * self.slowness * self.genres)
        return preview + 3.0 * (self.scripted or SCRIPTED * self.slowness) + 2.0 + SPARE * self.whole

    def after(self, music_s: float) -> float:
        """Seconds of all that follows the preparing of `music_s` seconds of music, learning included."""
        rehearsal = self.scripted or SCRIPTED * self.slowness
        return self.memory(music_s) + rehearsal + LEARNING * self.whole + 3 * PREVIEW * self.whole + self.finish()

    def fits(self, done_s: float, more_s: float, began_s: float) -> bool:
        """Whether there is time to prepare `more_s` seconds of music besides the `done_s` that are done, and for all that follows.

        Preparing began `began_s` seconds after the start.
        """
        return self._in_time(self.elapsed() + self.preparing(more_s), began_s, done_s + more_s)

    def patience(self, done_s: float) -> float:
        """For how many seconds to wait for music that is being prepared, if the `done_s` that are done would do."""
        return max(0.0, self.whole - self.after(done_s) - self.elapsed()) if self.bounded else math.inf

    def music(self) -> float:
        """How many seconds of music fit in, from now on."""
        if not self.bounded:
            return math.inf
        now, low, high = self.elapsed() + STARTED * self.slowness, 0.0, 1e7
        for _ in range(60):
            middle = (low + high) / 2
            enough = self._in_time(now + self.preparing(middle), self.elapsed(), middle)
            low, high = (middle, high) if enough else (low, middle)
        return low

    def minutes_for(self, music_s: float) -> float:
        """The least `--minutes` in which `music_s` seconds of music would all be learned from."""
        share = 1 - LEARNING - 3 * PREVIEW - LAST_PREVIEW - SPARE
        return max(self._stages(music_s) / share, self.preparing(music_s) / PREPARING) / 60

    def require_enough(self, slowness: float) -> None:
        """Raise UsageError, naming the least that would do, if the time is too short for anything.

        `slowness` is that of the machine without other work: if it is busy just now, that may pass.
        """
        alone = replace(self, slowness=slowness)
        least = (time.process_time() + alone._stages(FEWEST_MUSIC_S * self.genres)) / (1 - LEAST_LEARNING) / 60
        if self.bounded and self.whole / 60 < least:
            genres = f"{self.genres} genre{'s' * (self.genres != 1)}"
            asked = f"{option('minutes')} {self.whole / 60:g}"
            raise UsageError(f"{asked}: too short for {genres} on this machine, give at least {math.ceil(least * 10) / 10:g}")

    def _in_time(self, until_s: float, began_s: float, music_s: float) -> bool:
        """Whether preparing, which began at `began_s`, may last until `until_s` if `music_s` are then learned from."""
        return until_s <= min(began_s + PREPARING * self.whole, self.whole - self.after(music_s))

    def _stages(self, music_s: float) -> float:
        """Seconds of all but previews and learning, for `music_s` seconds of music."""
        return self.slowness * (STARTED + 4 * SCRIPTED) + self.preparing(music_s) + self.memory(music_s) + 2.0

    def learning(self) -> float:
        """Seconds that are left for learning from now on."""
        return self.whole - self.elapsed() - self.finish()

    def took(self, stage: str, began: float) -> None:
        """Note that `stage` took the time since `began` (a time.monotonic())."""
        self.spent[stage] = self.spent.get(stage, 0.0) + time.monotonic() - began

    def describe(self, music_s: float) -> str:
        """The split between the stages, in a line, when `music_s` seconds of music are learned from."""
        preparing, memory = self.preparing(music_s) + STARTED * self.slowness, self.memory(music_s)
        rest = self.finish() + 3 * PREVIEW * self.whole + 2 * SCRIPTED * self.slowness
        learning = self.whole - self.elapsed() - preparing - memory - rest
        parts = (("preparing", preparing), ("memory", memory), ("LSTM", learning), ("previews and file", rest))
        return f"plan for {self.whole / 60:g} min: " + ", ".join(f"{name} {clock(seconds)}" for name, seconds in parts)


def clock(seconds: float) -> str:
    """Minutes and seconds, as 1:05."""
    seconds = max(0, round(seconds))
    return f"{seconds // 60}:{seconds % 60:02d}"
