"""Techno: four on the floor, rolling sixteenth bass, minor stabs with a dotted echo, an acid line under a slow filter."""

import numpy as np

from noizestream.music.studio.drums import clap, hat, kick, rim, snare
from noizestream.music.studio.effects import duck, echo, ensemble, passed, reverb
from noizestream.music.studio.oscillators import Array, adsr, fall, frames, oscillator, unison
from noizestream.music.studio.song import Note, Song, hiss, perform, steps, strike


def kicks(song: Song) -> list[Note]:
    """Every beat of the bars with full drums; the last beat before a new block is left out now and then."""
    rng = song.rng("kicks")
    notes = []
    for bar in song.bars_with("D"):
        missing = song.fills(bar) and rng.random() < 0.4
        notes += steps("X...X...X......." if missing else "X...X...X...X...", bar * 4)
    return notes


def drums(song: Song) -> Array:
    """Four kicks a bar under hats in sixteenths, claps on two and four, a ride over the lead, and a roll before a new block."""
    rng = song.rng("drums")
    closed = str(rng.choice(["X.ooX.ooX.ooX.oo", "XoooXoooXoooXooo", "X.o.X.o.X.o.X.oo"]))
    rimshot = str(rng.choice(["...x.....x.x....", ".......x...x.x..", "...x...x.....x.."]))
    clapping, riding = rng.random() < 0.85, rng.random() < 0.6
    out = strike(song, kicks(song), kick(rng, rng.uniform(44, 54), rng.uniform(150, 260), rng.uniform(0.09, 0.14), 0.6))
    full, some = list(song.bars_with("D")), list(song.bars_with("Dd"))
    hits = [n for bar in some for n in steps(closed, bar * 4, pan=-0.4)]
    out += 0.26 * strike(song, hits, hat(rng, rng.uniform(0.018, 0.03), 6000))
    hits = [n for bar in full for n in steps("..x...x...x...x.", bar * 4, pan=0.65)]
    out += 0.2 * strike(song, hits, hat(rng, rng.uniform(0.06, 0.1), 7500))
    if clapping:
        hits = [n for bar in some for n in steps("....X.......X...", bar * 4, pan=0.05)]
        out += 0.42 * strike(song, hits, clap(rng, rng.uniform(0.05, 0.08)))
    if riding:
        hits = [n for bar in song.bars_with("L") for n in steps("X.o.X.o.X.o.X.o.", bar * 4, pan=0.5)]
        out += 0.14 * strike(song, hits, hat(rng, 0.12, 4500))
    hits = [n for bar in some for n in steps(rimshot, bar * 4, pan=0.65)]
    out += 0.18 * strike(song, hits, rim(rng, rng.uniform(1300, 2100)))
    rolls = [bar for bar in some if song.fills(bar)]
    roll = [Note(bar * 4 + 3 + i / 4, velocity=0.3 + 0.2 * i) for bar in rolls for i in range(4)]
    return out + 0.3 * strike(song, roll, snare(rng, 190, 0.07))


def bass(song: Song) -> Array:
    """A short, dark bass that rolls in sixteenths between the kicks."""
    rng = song.rng("bass")
    pattern = str(rng.choice(["..xx..xx..xx..xx", ".xxx.xxx.xxx.xxx", "..x...x...x..xx.", "..xo..xo..xoo.xo"]))
    colour = rng.uniform(350, 900)
    notes = [
        Note(n.beat, 0.22, song.pitch(song.chord(bar), 0), n.velocity)
        for bar in song.bars_with("B")
        for n in steps(pattern, bar * 4)
    ]

    def voice(f: float, held: int, shade: float) -> Array:
        envelope = adsr(held, 0.006, 0.12, 0.3, 0.03)
        cutoff = 120 + colour * fall(len(envelope), 0.07)
        return (oscillator("saw", f, len(envelope), cutoff, 1.4) + 0.8 * oscillator("triangle", f, len(envelope))) * envelope

    return 0.32 * passed(perform(song, notes, voice), "lowpass", 1200, 4)


def chords(song: Song) -> Array:
    """Minor stabs on a syncopated pattern, whose filter opens over eight bars."""
    rng = song.rng("chords")
    pattern = str(rng.choice(["...x......x.....", "x..x..x.........", "..x..x....x.....", "...x..x....x..x."]))
    shape, brightness = str(rng.choice(["saw", "pulse30"])), rng.uniform(900, 2600)
    notes = []
    for bar in song.bars_with("C"):
        shade = (bar % 8) / 8
        for hit in steps(pattern, bar * 4):
            for i, pitch in enumerate(song.voicing(song.chord(bar), 3, 57)):
                notes.append(Note(hit.beat, 0.3, pitch, hit.velocity, 0.6 * (i - 1), shade))

    def voice(f: float, held: int, shade: float) -> Array:
        envelope = adsr(held, 0.008, 0.12, 0.15, 0.15)
        cutoff = 250 + brightness * (0.6 + shade) * fall(len(envelope), 0.12)
        return unison(shape, f, len(envelope), (-7, 7), cutoff) * envelope

    return ensemble(0.2 * passed(perform(song, notes, voice), "lowpass", 4500, 4), 0.4)


def lead(song: Song) -> Array:
    """An acid line of sixteenths with accents, whose resonant filter opens and closes over eight bars."""
    rng = song.rng("lead")
    line = [
        (i, int(rng.choice([0, 0, 0, 2, 4, 7, 6])), rng.random() < 0.25)
        for i in range(16)
        if rng.random() < (0.9 if i % 4 == 0 else 0.65)
    ]
    shape = str(rng.choice(["saw", "pulse50"]))
    notes = [
        Note(
            bar * 4 + i / 4,
            0.2,
            song.pitch(degree, 1),
            1.0 if accent or i % 4 == 0 else 0.65,
            -0.2,
            (1 - np.cos(bar * np.pi / 4)) / 2,
        )
        for bar in song.bars_with("L")
        for i, degree, accent in line
    ]

    def voice(f: float, held: int, shade: float) -> Array:
        envelope = adsr(held, 0.002, 0.15, 0.4, 0.02)
        cutoff = 250 + (500 + 3200 * shade) * fall(len(envelope), 0.07)
        return oscillator(shape, f, len(envelope), cutoff, 4.0) * envelope

    return 0.13 * perform(song, notes, voice)


def effects(song: Song, stems: dict[str, Array]) -> Array:
    """The music pumps under the kick; stabs run on in a dotted echo and a short room, over a bed of hiss."""
    pump = duck(song.length, np.array([song.frame(n.beat) for n in kicks(song)]), 0.65, 0.7 * song.seconds_per_beat)
    wet = stems["chords"] + 0.4 * stems["lead"]
    wet = echo(wet, 0.75 * song.seconds_per_beat, 0.5, (300, 4000), 1.0)
    room = reverb(stems["chords"] + wet + 0.08 * passed(stems["drums"], "highpass", 400), 1.4, song.rng("room"), width=0.8)
    music = stems["bass"] + stems["chords"] + stems["lead"] + 0.5 * wet + 0.25 * room
    tail = frames(0.002)
    return hiss(song, -52) + stems["drums"] + 0.9 * music * np.roll(pump, tail)
