"""What one track is made of: tempo, key, chord loop and form drawn from its genre's row; and how notes become sound."""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from noizestream.music.studio.effects import passed
from noizestream.music.studio.oscillators import SAMPLE_RATE, Array, frames, hertz

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
}
"""Seven-note scales in semitones above the root."""

BLOCK_BARS = 4
"""A form is made of blocks this long; fills end them."""


@dataclass(frozen=True)
class Note:
    """One note or hit: `beat` from the start of the track, `length` in beats, MIDI `pitch`, `pan` -1..1, `shade` (timbre) 0..1."""

    beat: float
    length: float = 0.0
    pitch: float = 60.0
    velocity: float = 1.0
    pan: float = 0.0
    shade: float = 0.0


Voice = Callable[[float, int, float], Array]
"""(frequency in Hz, frames held, shade 0..1) -> mono float32, as long as it sounds."""


@dataclass(frozen=True)
class Song:
    """One track of a genre, before a note of it is played. `chords` are scale degrees (0 is the root), one per bar, repeated."""

    key: tuple[int, ...]
    bpm: float
    metre: int
    root: int
    scale: tuple[int, ...]
    chords: tuple[int, ...]
    form: tuple[str, ...]
    length: int

    def rng(self, part: str) -> np.random.Generator:
        """The part's own stream of random numbers: changing one part leaves the others as they were."""
        return np.random.default_rng([*self.key, zlib.crc32(part.encode())])

    @property
    def seconds_per_beat(self) -> float:
        """How long a beat lasts, in seconds; the tempo never changes."""
        return 60.0 / self.bpm

    def frame(self, beat: float) -> int:
        """Frame of a beat; beat 0 is frame 0."""
        return frames(beat * self.seconds_per_beat)

    @property
    def bars(self) -> int:
        """Bars begun before the track ends."""
        return int(np.ceil(self.length / SAMPLE_RATE / self.seconds_per_beat / self.metre - 1e-9))

    def layers(self, bar: int) -> str:
        """Which layers sound in a bar: letters of its block of the form. The first block is played once, the others go round."""
        block = bar // BLOCK_BARS
        return self.form[block] if block < len(self.form) else self.form[1 + (block - len(self.form)) % (len(self.form) - 1)]

    def bars_with(self, letters: str) -> Iterable[int]:
        """Bars in which any of `letters` sounds."""
        return (bar for bar in range(self.bars) if set(letters) & set(self.layers(bar)))

    def fills(self, bar: int) -> bool:
        """Whether the bar closes a block of the form."""
        return bar % BLOCK_BARS == BLOCK_BARS - 1

    def chord(self, bar: int) -> int:
        """Scale degree of the bar's chord."""
        return self.chords[bar % len(self.chords)]

    def pitch(self, degree: int, octave: int = 0) -> int:
        """MIDI pitch of a scale degree (any integer), `octave` above the root."""
        return self.root + 12 * (octave + degree // 7) + self.scale[degree % 7]

    def voicing(self, degree: int, size: int, low: int) -> list[int]:
        """Pitches of the chord on a degree in thirds, folded into the octave from `low`, rising: neighbours move little."""
        return sorted(low + (self.pitch(degree + 2 * i) - low) % 12 for i in range(size))


def perform(song: Song, notes: Iterable[Note], voice: Voice) -> Array:
    """Play notes with a voice: float32 [2, song.length]. Equal notes are synthesised once. Constant-power pan."""
    out = np.zeros((2, song.length), np.float32)
    made: dict[tuple[float, int, float], Array] = {}
    for note in notes:
        start = song.frame(note.beat)
        if start >= song.length:
            continue
        recipe = (note.pitch, round(note.length * song.seconds_per_beat * SAMPLE_RATE), round(note.shade, 1))
        if recipe not in made:
            made[recipe] = voice(hertz(note.pitch), recipe[1], recipe[2])
        sound = made[recipe][: song.length - start]
        angle = (note.pan + 1) * np.pi / 4
        out[0, start : start + len(sound)] += sound * np.float32(note.velocity * np.cos(angle) * np.sqrt(2))
        out[1, start : start + len(sound)] += sound * np.float32(note.velocity * np.sin(angle) * np.sqrt(2))
    return out


def strike(song: Song, notes: Iterable[Note], sound: Array) -> Array:
    """Play one one-shot at every note: float32 [2, song.length]."""
    return perform(song, (Note(n.beat, 0.0, 60.0, n.velocity, n.pan) for n in notes), lambda *_: sound)


def hiss(song: Song, rms_db: float) -> Array:
    """The bed of noise under a track: float32 [2, song.length], mostly the same on both sides.

    Without it the gaps between hits are digital silence, and any whisper off the beat is an onset as wide as the kick's.
    """
    noise = passed(song.rng("hiss").standard_normal((3, song.length)), "lowpass", 5000, 1)
    bed = 0.9 * noise[2] + 0.4 * noise[:2]
    return (bed * (10 ** (rms_db / 20) / np.sqrt(np.mean(bed**2)))).astype(np.float32)


def steps(pattern: str, bar_beat: float, swing: float = 0.0, pan: float = 0.0) -> list[Note]:
    """Hits of a bar of sixteenths from text: X accent, x normal, o ghost, else a rest; `swing` delays odd steps, in steps."""
    loud = {"X": 1.0, "x": 0.75, "o": 0.4}
    return [
        Note(bar_beat + (i + swing * (i % 2)) / 4, velocity=loud[mark], pan=pan) for i, mark in enumerate(pattern) if mark in loud
    ]


def motif(rng: np.random.Generator, length: int, density: float, leap: int = 2) -> list[tuple[int, int, int]]:
    """A phrase over `length` sixteenths: (step, sixteenths held, degrees above the chord), a walk from a chord tone."""
    weight = (1.0, 0.3, 0.75, 0.3)
    starts = [0] + [step for step in range(1, length) if rng.random() < density * weight[step % 4]]
    degree = int(rng.choice([0, 2, 4]))
    phrase = []
    for index, step in enumerate(starts):
        held = (starts[index + 1] if index + 1 < len(starts) else length) - step
        phrase.append((step, held, degree))
        degree = int(np.clip(degree + rng.integers(-leap, leap + 1), -2, 9))
        if (step + held) % 8 == 0:
            degree -= degree % 2
    return phrase
