"""Chords in time: sets a generator's chord before each block, by the beat that the block is at."""

from typing import Protocol

from noizestream.control.chords import Schedule
from noizestream.control.parameters import CHORD
from noizestream.modelfile.metadata import Metadata

CLOSE = 1e-6
"""Beats: a chord that begins so near to the end of a block begins with the next; what is nearer is rounding."""


class Conducted(Protocol):
    """What plays a model block by block: a generator. `block` is the number of the block that it makes next."""

    metadata: Metadata
    block: int

    def set_control(self, name: str, value: float, /) -> object:
        """Set a control of the model, from the next block on."""


class Conductor:
    """Sets the chord of `generator` to what `schedule` has, at `bpm` beats a minute, from the generator's block 0 on.

    A chord begins with the block in which its beat lies. UsageError if the model has no chord.
    """

    def __init__(self, generator: Conducted, schedule: Schedule, bpm: float):
        metadata = generator.metadata
        metadata.control_index(CHORD.name)
        self._generator, self._schedule = generator, schedule
        self._beats = metadata.block_frames / metadata.sample_rate * bpm / 60
        self._chord: int | None = None

    def conduct(self) -> None:
        """Set the chord of the block that the generator makes next."""
        chord = self._schedule.at((self._generator.block + 1) * self._beats - CLOSE)
        if chord != self._chord:
            self._chord = chord
            self._generator.set_control(CHORD.name, float(chord))
