"""Chiptune: pulse arpeggios and a catchy lead at 150 BPM, a stepped triangle for a bass, noise for drums; no room at all."""

import numpy as np

from noizestream.music.studio.effects import passed
from noizestream.music.studio.oscillators import SAMPLE_RATE, Array, adsr, fall, frames, oscillator
from noizestream.music.studio.song import Note, Song, motif, perform, steps, strike


def _blip(rng: np.random.Generator, period: int, decay: float) -> Array:
    """The console's noise channel: a random bit held for `period` samples, band-limited."""
    length = frames(decay * 5)
    bits = np.repeat(rng.choice([-1.0, 1.0], length // period + 1), period)[:length]
    sound = passed(bits * fall(length, decay), "lowpass", 12000)
    return sound / np.abs(sound).max()


def drums(song: Song) -> Array:
    """A falling blip for a kick, bursts of the noise channel for snare and hats."""
    rng = song.rng("drums")
    beat = str(rng.choice(["X.....x.X.......", "X.......X.x.....", "X.x.....X......."]))
    thump = frames(0.12)
    t = np.arange(thump) / SAMPLE_RATE
    falling = oscillator("steps", 60 + 260 * np.exp(-t / 0.02), thump) * fall(thump, 0.05)
    low, snare, tick = [], [], []
    for bar in song.bars_with("D"):
        low += steps(beat, bar * 4)
        snare += steps("....X.......X.xx" if song.fills(bar) else "....X.......X...", bar * 4, pan=0.2)
    for bar in song.bars_with("Dd"):
        tick += steps("x.o.x.o.x.o.x.o.", bar * 4, pan=-0.4)
        if "d" in song.layers(bar):
            low += steps("X.......X.......", bar * 4)
    out = 0.9 * strike(song, low, falling) + 0.5 * strike(song, snare, _blip(rng, 5, 0.06))
    return out + 0.16 * strike(song, tick, _blip(rng, 2, 0.018))


def bass(song: Song) -> Array:
    """A stepped triangle in eighths that jumps about the chord, every other one softer."""
    rng = song.rng("bass")
    line = [[0, 0, 7, 0], [0, 7, 0, 7], [0, 0, 4, 7], [0, 4, 7, 4]][int(rng.integers(4))]
    notes = [
        Note(bar * 4 + i / 2, 0.45, song.pitch(song.chord(bar) + line[i % 4], 0), 1.0 if i % 2 == 0 else 0.8)
        for bar in song.bars_with("B")
        for i in range(8)
    ]
    return 0.45 * perform(song, notes, lambda f, held, _: oscillator("steps", f, held + 240) * adsr(held, 0.001, 1, 0.9, 0.005))


def chords(song: Song) -> Array:
    """The chord as a fast arpeggio of sixteenths in one pulse wave, far left."""
    rng = song.rng("chords")
    order = [[0, 1, 2, 1], [0, 1, 2, 0], [2, 1, 0, 1], [0, 2, 1, 2]][int(rng.integers(4))]
    shape = str(rng.choice(["pulse25", "pulse12", "pulse50"]))
    notes = []
    for bar in song.bars_with("C"):
        tones = song.voicing(song.chord(bar), 3, 60)
        for i in range(16):
            notes.append(Note(bar * 4 + i / 4, 0.22, tones[order[i % 4]] + 12 * (i % 8 == 7), 1.0 if i % 4 == 0 else 0.7, -0.65))
    return 0.13 * perform(song, notes, lambda f, held, _: oscillator(shape, f, held + 240) * adsr(held, 0.001, 0.07, 0.35, 0.005))


def lead(song: Song) -> Array:
    """A catchy question and answer of two bars each in a pulse wave, right, with late vibrato and its echo on the left."""
    rng = song.rng("lead")
    shape = str(rng.choice(["pulse50", "pulse25"]))
    question, answer = motif(rng, 32, 0.85), motif(rng, 32, 0.6)
    notes = []
    for bar in song.bars_with("L"):
        phrase = answer if bar % 4 >= 2 else question
        for step, held, degree in phrase:
            if bar % 2 * 16 <= step < bar % 2 * 16 + 16:
                beat = (bar - bar % 2) * 4 + step / 4
                notes.append(Note(beat, held / 4 * 0.9, song.pitch(song.chord(bar) + degree, 2), 0.9, 0.45))

    def voice(f: float, held: int, shade: float) -> Array:
        length = held + frames(0.01)
        t = np.arange(length) / SAMPLE_RATE
        vibrato = f * (1 + 0.006 * np.sin(2 * np.pi * 6 * t) * np.clip((t - 0.15) / 0.1, 0, 1))
        return oscillator(shape, vibrato, length) * adsr(held, 0.002, 0.25, 0.6, 0.01)[:length]

    dry = perform(song, notes, voice)
    late = song.frame(0.75)
    # The console's echo: the same voice again on the other side, later and softer.
    dry[:, late:] += 0.3 * dry[::-1, : song.length - late]
    return 0.2 * dry


def effects(song: Song, stems: dict[str, Array]) -> Array:
    """The four voices side by side, dry: a console has no room."""
    return stems["drums"] * 0.8 + stems["bass"] + stems["chords"] + stems["lead"]
