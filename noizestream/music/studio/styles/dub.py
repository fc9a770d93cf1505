"""Dub: slow and heavy; deep sine bass, organ skank off the beat, a rim shot, tape echoes that feed on themselves, a melodica."""

import numpy as np
from scipy.ndimage import uniform_filter1d

from noizestream.music.studio.drums import hat, kick, rim, snare, tom
from noizestream.music.studio.effects import echo, passed, reverb
from noizestream.music.studio.oscillators import SAMPLE_RATE, Array, adsr, frames, oscillator
from noizestream.music.studio.song import Note, Song, motif, perform, steps, strike


def _swing(song: Song) -> float:
    """How late the even sixteenths are, in sixteenths; one value for all parts of a track."""
    return float(song.rng("swing").uniform(0.05, 0.3))


def drums(song: Song) -> Array:
    """Four kicks a bar, swinging hats, rim and snare on two and four, and toms that tumble down at the end of a block."""
    rng = song.rng("drums")
    swing = _swing(song)
    beat = str(rng.choice(["X...X...X...X...", "X...X...X...X.x.", "X...x...X...x..o"]))
    hats = str(rng.choice(["x.o.x.o.x.o.x.o.", "xoo.xoo.xoo.xoox", "x.oox.o.x.oox.o."]))
    low, high, side, tumble = [], [], [], []
    for bar in song.bars_with("Dd"):
        high += steps(hats, bar * 4, swing, -0.4)
        side += steps("....X.......X..o" if rng.random() < 0.3 else "....X.......X...", bar * 4, swing, 0.2)
        if "D" in song.layers(bar):
            low += steps(beat, bar * 4, swing)
        else:
            low += steps("X...............", bar * 4)
        if song.fills(bar):
            tumble += [Note(bar * 4 + 3 + i / 4, pitch=p, velocity=0.8, pan=0.7 - 0.45 * i) for i, p in enumerate((55, 52, 48, 45))]
    out = 0.95 * strike(song, low, kick(rng, rng.uniform(50, 60), 90, 0.11, 0.35))
    out += 0.2 * strike(song, high, hat(rng, rng.uniform(0.02, 0.035), 6000))
    out += 0.5 * strike(song, side, rim(rng, rng.uniform(1500, 1900)))
    out += 0.3 * strike(song, side, snare(rng, 210, 0.06, 6000))
    return out + 0.4 * perform(song, tumble, lambda f, *_: tom(f, 0.12))


def bass(song: Song) -> Array:
    """A deep, round riff of a bar, nearly a sine, that sits on the root of the chord."""
    rng = song.rng("bass")
    on = [step for step in (4, 6, 8, 10, 12, 14) if rng.random() < 0.6]
    riff = [(0, 3, 0)] + [(step, int(rng.integers(2, 4)), int(rng.choice([0, 0, 2, 4, -3, 7]))) for step in on]
    notes = [
        Note(bar * 4 + step / 4, held / 4, song.pitch(song.chord(bar) + degree, 0), 1.0 if step == 0 else 0.85)
        for bar in song.bars_with("B")
        for step, held, degree in riff
    ]

    def voice(f: float, held: int, shade: float) -> Array:
        envelope = adsr(held, 0.006, 0.3, 0.7, 0.05)
        return oscillator("triangle", f, len(envelope), 260, 0.9) * envelope

    return 0.75 * perform(song, notes, voice)


def chords(song: Song) -> Array:
    """The skank: short organ chords off the beat, a little late."""
    rng = song.rng("chords")
    pattern = str(rng.choice(["..x...x...x...x.", "..x...x...x...x.", "..xo..x...xo..x."]))
    swing = _swing(song)
    notes = []
    for bar in song.bars_with("Cd"):
        for hit in steps(pattern, bar * 4, swing):
            for i, pitch in enumerate(song.voicing(song.chord(bar), 3, 60)):
                notes.append(Note(hit.beat, 0.18, pitch, hit.velocity, 0.35 + 0.1 * i))

    def voice(f: float, held: int, shade: float) -> Array:
        envelope = adsr(held, 0.004, 0.06, 0.4, 0.03)
        return (oscillator("organ", f, len(envelope)) + 0.4 * oscillator("saw", f, len(envelope), 1800)) * envelope

    return 0.2 * perform(song, notes, voice)


def lead(song: Song) -> Array:
    """A reedy melodica that plays a phrase every other bar and trembles."""
    rng = song.rng("lead")
    phrase = motif(rng, 24, 0.5, 1)
    notes = [
        Note(bar * 4 + step / 4, held / 4 * 0.85, song.pitch(song.chord(bar) + degree, 2), 0.9, -0.45)
        for bar in song.bars_with("L")
        if bar % 2 == 0
        for step, held, degree in phrase
    ]

    def voice(f: float, held: int, shade: float) -> Array:
        envelope = adsr(held, 0.04, 0.5, 0.75, 0.08)
        t = np.arange(len(envelope)) / SAMPLE_RATE
        trembling = f * (1 + 0.005 * np.sin(2 * np.pi * 5.2 * t))
        return oscillator("reed", trembling, len(envelope), 3500) * envelope

    return 0.13 * perform(song, notes, voice)


def effects(song: Song, stems: dict[str, Array]) -> Array:
    """Now and then chords and drums are thrown into a dark tape echo that feeds on itself, and into a spring reverb."""
    rng = song.rng("sends")
    # The engineer's hand: in some beats the send to the echo is open, and what sounds just then runs on.
    opened = rng.random(song.bars * 4 + 1) < 0.3
    beats = np.minimum((np.arange(song.length) / SAMPLE_RATE / song.seconds_per_beat).astype(np.int64), len(opened) - 1)
    send: Array = uniform_filter1d(opened[beats].astype(np.float32), frames(0.01), mode="nearest")
    thrown = stems["chords"] * (0.35 + 0.65 * send) + stems["lead"] * 0.5 + passed(stems["drums"], "highpass", 500) * 0.4 * send
    tape = echo(thrown, 0.75 * song.seconds_per_beat, 0.62, (250, 2600), 1.0)
    splash = 0.5 * stems["chords"] + 0.25 * passed(stems["drums"], "highpass", 300) + 0.5 * tape
    spring = reverb(splash, 2.2, song.rng("spring"), 2500.0, 0.8)
    return stems["drums"] + stems["bass"] + stems["chords"] + stems["lead"] + 0.8 * tape + 0.35 * spring
