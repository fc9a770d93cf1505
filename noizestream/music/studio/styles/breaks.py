"""Breaks: syncopated drums at 108 BPM with ghost notes, a growling bass, electric-piano sevenths, a flute-like lead."""

import numpy as np

from noizestream.music.studio.drums import hat, kick, noise, snare
from noizestream.music.studio.effects import duck, echo, passed, reverb, sway
from noizestream.music.studio.oscillators import SAMPLE_RATE, Array, adsr, bell, frames, oscillator, unison
from noizestream.music.studio.song import Note, Song, hiss, motif, perform, steps, strike

_BREAKS = (
    ("X.......X.x.....", "....X.......X..o"),
    ("X.x.....X.......", "....X..o....X..."),
    ("X......xX.x.....", "....X.......X.o."),
    ("X.....x.X..x....", "....X....o..X..."),
)
"""Kick and snare of a bar."""


def _snares(song: Song) -> list[Note]:
    rng = song.rng("pattern")
    pair = [_BREAKS[i] for i in rng.choice(len(_BREAKS), 2, replace=False)]
    notes = []
    for bar in song.bars_with("Dd"):
        full = "....X..o.oX.XoxX" if song.fills(bar) else pair[bar % 2][1]
        notes += steps(full if "D" in song.layers(bar) else "....x.......x...", bar * 4, pan=0.05)
    return notes


def _kicks(song: Song) -> list[Note]:
    rng = song.rng("pattern")
    pair = [_BREAKS[i] for i in rng.choice(len(_BREAKS), 2, replace=False)]
    return [
        n
        for bar in song.bars_with("Dd")
        for n in steps(pair[bar % 2][0] if "D" in song.layers(bar) else "X.......x.......", bar * 4)
    ]


def drums(song: Song) -> Array:
    """Two broken beats in turn, with ghost notes, a roll at the end of a block, a ride and a crash every eight bars."""
    rng = song.rng("drums")
    ride = str(rng.choice(["X.x.X.x.X.x.X.x.", "X.o.X.o.X.o.X.o.", "X.ooX.ooX.ooX.oo"]))
    out = 1.0 * strike(song, _kicks(song), kick(rng, rng.uniform(58, 70), 140, 0.06, 0.7))
    out += 0.75 * strike(song, _snares(song), snare(rng, rng.uniform(190, 240), rng.uniform(0.05, 0.08), 11000))
    hits = [n for bar in song.bars_with("Dd") for n in steps(ride, bar * 4, pan=-0.5)]
    out += 0.3 * strike(song, hits, hat(rng, rng.uniform(0.025, 0.05), 5500))
    crashes = [Note(bar * 4, velocity=0.8, pan=0.6) for bar in song.bars_with("D") if bar % 8 == 0]
    return out + 0.3 * strike(song, crashes, noise(rng, 1.6, 0.35, (3500, 14000)))


def bass(song: Song) -> Array:
    """A growling bass: detuned saws whose filter wobbles, over a clean sub of the same note."""
    rng = song.rng("bass")
    pattern = [(0, 6), (10, 5)] if rng.random() < 0.5 else [(0, 3), (3, 3), (10, 6)]
    growl = rng.uniform(0.5, 2.0)
    notes = [
        Note(bar * 4 + step / 4, held / 4 * 0.95, song.pitch(song.chord(bar), 0), 1.0)
        for bar in song.bars_with("B")
        for step, held in pattern
    ]

    def voice(f: float, held: int, shade: float) -> Array:
        envelope = adsr(held, 0.004, 0.5, 0.8, 0.04)
        t = np.arange(len(envelope)) / SAMPLE_RATE
        cutoff = 450 + 300 * np.sin(2 * np.pi * growl * t)
        reese = unison("saw", f * 2, len(envelope), (-14, 0, 13), cutoff)
        return (0.5 * reese + oscillator("triangle", f, len(envelope), 300)) * envelope

    return 0.4 * perform(song, notes, voice)


def chords(song: Song) -> Array:
    """Electric-piano sevenths, a few stabs a bar, whose tremolo sways from side to side in eighths."""
    rng = song.rng("chords")
    pattern = str(rng.choice(["x.....x.........", "x.........x.....", "x..x............"]))
    notes = []
    for bar in song.bars_with("C"):
        for hit in steps(pattern, bar * 4):
            for i, pitch in enumerate(song.voicing(song.chord(bar), 4, 58)):
                notes.append(Note(hit.beat, 1.4, pitch, hit.velocity, 0.5 * (i - 1.5) / 1.5))

    def voice(f: float, held: int, shade: float) -> Array:
        length = held + frames(0.3)
        return bell(f, length, 1.0, 1.3, 0.7) * adsr(held, 0.002, 2.0, 0.8, 0.3)[:length] + 0.15 * bell(f, length, 14.0, 0.6, 0.15)

    # The electric piano's own tremolo, from speaker to speaker, in time.
    return sway(0.17 * perform(song, notes, voice), 1 / song.seconds_per_beat, 0.6)


def lead(song: Song) -> Array:
    """A flute-like tune of four bars with vibrato, to the right of the middle."""
    rng = song.rng("lead")
    phrase = motif(rng, 64, 0.3)
    notes = [
        Note((bar - bar % 4) * 4 + step / 4, held / 4 * 0.8, song.pitch(song.chord(bar) + degree, 3), 0.8, 0.4)
        for bar in song.bars_with("L")
        for step, held, degree in phrase
        if bar % 4 * 16 <= step < bar % 4 * 16 + 16
    ]

    def voice(f: float, held: int, shade: float) -> Array:
        envelope = adsr(held, 0.03, 1.0, 0.7, 0.12)
        t = np.arange(len(envelope)) / SAMPLE_RATE
        return oscillator("triangle", f * (1 + 0.004 * np.sin(2 * np.pi * 5.5 * t)), len(envelope), 5000) * envelope

    return 0.13 * perform(song, notes, voice)


def effects(song: Song, stems: dict[str, Array]) -> Array:
    """The drums up front; the rest ducks under kick and snare, with an echo of a beat and a half and a room."""
    hits = np.sort(np.array([song.frame(n.beat) for n in _kicks(song) + _snares(song) if n.velocity > 0.5]))
    pump = duck(song.length, hits, 0.4, 0.5 * song.seconds_per_beat)
    late = echo(stems["lead"] + 0.4 * stems["chords"], 1.5 * song.seconds_per_beat, 0.45, (300, 5000), 1.0)
    room = reverb(
        stems["chords"] + stems["lead"] + 0.1 * passed(stems["drums"], "highpass", 300), 1.8, song.rng("room"), 5000.0, 0.8
    )
    return hiss(song, -50) + stems["drums"] + pump * (stems["bass"] + stems["chords"] + stems["lead"] + 0.4 * late) + 0.35 * room
