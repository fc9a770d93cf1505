"""On music of known triads, the chord that is asked for is the chord that is heard."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch

from noizestream.analysis import chords
from noizestream.music.library import read_library
from noizestream.training.config import Config
from noizestream.training.data.prepare import prepare
from noizestream.training.recipes.units import UnitRecipe
from rig.made_up import Performance
from tests.training.conftest import RATE, quiet

BEAT_S = 0.5
C, F, G, A_MINOR, D_MINOR, E_MINOR = 0, 5, 7, 12 + 9, 12 + 2, 12 + 4
SONGS = ([C, A_MINOR, F, G, D_MINOR, G], [A_MINOR, F, C, E_MINOR, F, G])


def triad(chord: int) -> list[int]:
    """MIDI notes about middle C."""
    root = 60 + chord % 12
    return [note - 12 * (note > 68) for note in (root, root + (4 if chord < 12 else 3), root + 7)]


def song(order: list[int], bars: int) -> np.ndarray:
    """A chord a bar of four beats, struck on every beat over a bass and a click: float32 [n]."""
    beat = np.arange(round(BEAT_S * RATE)) / RATE
    random = np.random.default_rng(0)
    parts = []
    for bar in range(bars):
        chord = order[bar % len(order)]
        tones = [*triad(chord), 36 + chord % 12]
        sound = sum(np.sin(2 * np.pi * 440 * 2 ** ((note - 69) / 12) * k * beat) / k**1.5 for note in tones for k in (1, 2, 3))
        struck = 0.06 * sound * np.minimum(1, beat * 100) * np.exp(-1.5 * beat) + 0.1 * random.standard_normal(len(beat)) * np.exp(
            -80 * beat
        )
        parts += [struck] * 4
    return np.concatenate(parts).astype(np.float32)


@pytest.fixture(scope="module")
def recipe(config: Config, tmp_path_factory: pytest.TempPathFactory) -> UnitRecipe:
    folder = tmp_path_factory.mktemp("songs")
    (folder / "music" / "song").mkdir(parents=True)
    for number, order in enumerate(SONGS):
        soundfile.write(folder / "music" / "song" / f"{number}.wav", song(order, 18), RATE)
    library = read_library(folder / "music")
    prepared = prepare(library, config, folder / "prepared", cache_root=folder / "cache", workers=0)
    made = UnitRecipe(prepared, replace(config, steps=60), folder)
    made.build(quiet)
    made.fit()
    return made


def share_of(chord: int, audio: torch.Tensor) -> float:
    """Share of the beats of audio [channels, n] in which `chord` fits best of all triads."""
    mono = audio.mean(0).numpy()
    rows = chords.chroma(mono, RATE)
    means = chords.between(rows, RATE, np.arange(0, len(mono) / RATE, BEAT_S))
    return float((chords.fit(means).argmax(1) == chord).mean())


def test_slots_know_the_chords_of_the_music(recipe):
    memory = recipe.built.memory
    first = memory.piece_first[0]
    known = memory.chord[first : first + int(memory.piece_slots[0])].tolist()
    assert set(SONGS[0]) <= set(known) and np.mean([chord in SONGS[0] for chord in known]) > 0.9
    changes = [n for n in range(1, len(known)) if known[n] != known[n - 1]]
    assert np.mean([n % 16 in (0, 1, 15) for n in changes]) > 0.8, "where a bar begins"


@pytest.mark.parametrize("chord", [C, G, A_MINOR, 9, 12 + 6])
def test_the_chord_asked_for_is_heard(recipe, chord):
    """A major and F sharp minor do not occur: others are transposed to them."""
    performance = Performance(recipe.player(), chord=float(chord))
    performance.play(50)
    assert share_of(chord, performance.play(1100)) >= 0.75


def test_a_chord_is_heard_as_soon_as_it_is_asked_for_and_until_it_is_not(recipe):
    performance = Performance(recipe.player(), chord=float(F))
    performance.play(200)
    performance.set(chord=float(G))
    latency = recipe.player().latency_frames
    assert share_of(G, performance.play(480)[:, latency + RATE // 8 :]) >= 0.75
    performance.set(chord=-1.0)
    free = performance.play(2000)
    assert share_of(G, free) < 0.6
