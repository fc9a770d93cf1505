"""Ambient: no beat; wide slow pads over two-bar chords, sparse glassy bells, a breath of noise, a long reverb."""

import numpy as np

from noizestream.music.studio.effects import echo, ensemble, passed, reverb
from noizestream.music.studio.oscillators import Array, adsr, bell, frames, oscillator, unison, wander
from noizestream.music.studio.song import Note, Song, perform


def _swell(held: int, song: Song, attack: float = 1.2) -> Array:
    return adsr(held, min(attack, held / 48000 / 3), 4.0, 0.8, 2.5)


def bass(song: Song) -> Array:
    """A soft triangle on the root of each bar, swelling in over half a second."""
    notes = [Note(bar * 4, 4.0, song.pitch(song.chord(bar), 0), 1.0) for bar in song.bars_with("B")]

    def voice(f: float, held: int, shade: float) -> Array:
        envelope = adsr(held, 0.5, 3.0, 0.7, 1.5)
        return oscillator("triangle", f, len(envelope), 400) * envelope

    return 0.3 * perform(song, notes, voice)


def chords(song: Song) -> Array:
    """Wide four-note pads that open and close like a slow breath; their register moves up for four bars and back."""
    rng = song.rng("chords")
    shape = str(rng.choice(["saw", "pulse40", "organ"]))
    dark, bright = rng.uniform(350, 600), rng.uniform(1200, 3000)
    notes = []
    for bar in song.bars_with("C"):
        low = 52 if bar % 8 < 4 else 55
        for i, pitch in enumerate(song.voicing(song.chord(bar), 4, low)):
            # The first chord of the piece is there at once: a track must not begin with silence.
            notes.append(Note(bar * 4, 4.0, pitch, 1.0, 0.6 * (i - 1.5) / 1.5, 1.0 if bar == 0 else 0.0))

    def voice(f: float, held: int, shade: float) -> Array:
        envelope = _swell(held, song, 0.05 if shade else 1.2)
        swell = np.sin(np.pi * np.minimum(1, np.arange(len(envelope)) / len(envelope))) ** 2
        return unison(shape, f, len(envelope), (-9, -3, 4, 8), dark + (bright - dark) * swell) * envelope

    return ensemble(0.12 * perform(song, notes, voice), 0.2)


def lead(song: Song) -> Array:
    """Sparse glassy bells from a five-note scale, scattered left and right, a theme of four bars that returns with gaps."""
    rng = song.rng("lead")
    five = [0, 1, 2, 4, 5] if song.scale[2] == 4 else [0, 2, 3, 4, 6]
    ratio = float(rng.choice([2.0, 3.0, 3.5, 4.0]))
    theme = [(beat, int(rng.choice(five)), int(rng.integers(2, 4))) for beat in np.arange(0, 16, 0.5) if rng.random() < 0.3]
    notes = []
    for block in range(0, song.bars, 4):
        for beat, degree, octave in theme:
            if "L" in song.layers(min(block + int(beat // 4), song.bars - 1)) and rng.random() < 0.8:
                notes.append(Note(block * 4 + beat, 0, song.pitch(degree, octave), rng.uniform(0.4, 1), rng.uniform(-0.9, 0.9)))
    return 0.16 * perform(song, notes, lambda f, *_: bell(f, frames(3.5), ratio, 1.6, 0.9))


def drums(song: Song) -> Array:
    """No drums: wind, two bands of noise that come and go on their own sides."""
    rng = song.rng("wind")
    hiss = passed(rng.standard_normal((2, song.length)), "bandpass", (500, 5000), 1)
    low, high = wander(rng, song.length, 5.0, 0.3, 1.0), wander(rng, song.length, 7.0, 0.3, 1.0)
    return 0.02 * (0.85 * hiss + 0.15 * hiss[::-1]) * np.stack([low, high])


def effects(song: Song, stems: dict[str, Array]) -> Array:
    """Everything in one long, wide reverb; the bells echo every beat and a half."""
    bells = stems["lead"] + 0.7 * echo(stems["lead"], 1.5 * song.seconds_per_beat, 0.6, (400, 6000))
    dry = stems["chords"] + bells
    room = reverb(dry + 0.3 * stems["bass"], 5.0, song.rng("room"), 3000.0, 0.65)
    return 0.6 * dry + stems["bass"] + 0.8 * room + stems["drums"]
