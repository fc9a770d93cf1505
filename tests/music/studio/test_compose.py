import dataclasses
import zlib

import librosa
import numpy as np
import pytest

from noizestream.errors import UsageError
from noizestream.music.studio import GENRES, SAMPLE_RATE, compose
from noizestream.music.studio.compose import draw, perform_song
from noizestream.music.studio.genres import by_name
from noizestream.music.studio.oscillators import adsr, oscillator
from noizestream.music.studio.song import Note, perform

NAMES = [row.name for row in GENRES]
PULSED = [row.name for row in GENRES if row.pulsed]


def db(audio: np.ndarray) -> float:
    return 20 * float(np.log10(np.sqrt(np.mean(audio.astype(np.float64) ** 2)) + 1e-12))


@pytest.mark.parametrize("name", NAMES)
def test_a_track_is_fit_for_training(track, name):
    audio = track(name, 1)
    assert audio.dtype == np.float32 and audio.shape == (2, 12 * SAMPLE_RATE)
    assert np.isfinite(audio).all()
    assert np.abs(audio).max() <= 10 ** (-1 / 20) + 1e-6
    assert -20 <= db(audio) <= -16
    assert np.abs(audio.mean(1)).max() < 1e-3
    assert db(audio[:, : SAMPLE_RATE // 5]) > -40, "begins with silence"
    assert min(db(part) for part in np.array_split(audio, 24, axis=1)) > -45, "falls silent"
    assert np.abs(audio[:, 0]).max() < 0.01 and np.abs(audio[:, -1]).max() < 0.01, "clicks at an end"


@pytest.mark.parametrize("name", NAMES)
def test_stereo_survives_in_mono(track, name):
    audio = track(name, 1)
    assert not np.array_equal(audio[0], audio[1])
    assert db(audio.mean(0)) > db(audio) - 1.5


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_samples_other_seed_other_music(track, name):
    assert np.array_equal(compose(name, 1, 3.0), compose(name, 1, 3.0))
    one, two = track(name, 1), track(name, 2)
    assert abs(np.corrcoef(one[0], two[0])[0, 1]) < 0.5


@pytest.mark.parametrize("name", PULSED)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_tracker_finds_tempo_and_downbeat(track, name, seed):
    small = librosa.resample(track(name, seed).mean(0), orig_sr=SAMPLE_RATE, target_sr=22050)
    onset = librosa.onset.onset_strength(y=small, sr=22050, hop_length=256, aggregate=np.median)
    _, beats = librosa.beat.beat_track(onset_envelope=onset, sr=22050, hop_length=256, units="time")
    found = 60 / np.polyfit(np.arange(len(beats)), beats, 1)[0]
    true = draw(by_name(name), seed, 12.0).bpm
    octave = 2.0 ** np.round(np.log2(found / true))
    assert abs(found / (true * octave) - 1) < 0.02
    # Frame 0 is a beat: tracked beats lie close to whole beats, a few tens of milliseconds late as the tracker is.
    position = np.exp(2j * np.pi * beats * true * octave / 60).mean()
    assert abs(position) > 0.9 and abs(np.angle(position)) < 2 * np.pi * 0.15


def test_genres_differ_in_timbre(track):
    def windows(audio: np.ndarray) -> np.ndarray:
        small = librosa.resample(audio.mean(0), orig_sr=SAMPLE_RATE, target_sr=22050)
        mfcc = librosa.feature.mfcc(y=small, sr=22050, n_mfcc=13)
        parts = np.array_split(mfcc, 8, axis=1)
        return np.array([np.concatenate([p.mean(1), p.std(1)]) for p in parts])

    known = {name: np.concatenate([windows(track(name, seed)) for seed in (1, 3)]) for name in NAMES}
    scale = np.concatenate(list(known.values())).std(0)
    right = 0
    for name in NAMES:
        for window in windows(track(name, 2)):
            distance = {other: np.abs((rows - window) / scale).sum(1).min() for other, rows in known.items()}
            right += min(distance, key=distance.__getitem__) == name
    assert right >= 0.9 * 8 * len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_tracks_of_a_genre_vary_within_its_row(name):
    row = by_name(name)
    songs = [draw(row, (0, index), 60.0) for index in range(1, 13)]
    assert all(row.tempo[0] <= song.bpm <= row.tempo[1] for song in songs)
    assert all(row.root[0] <= song.root <= row.root[1] for song in songs)
    assert row.tempo[1] / row.tempo[0] < 1.09
    assert len({(song.bpm, song.root, song.chords, song.form) for song in songs}) > 6


def test_a_new_genre_is_a_row_and_a_function():
    def tune(song):
        notes = [Note(beat, 0.5, song.pitch(song.chord(beat // song.metre) + 2 * (beat % 3), 2)) for beat in range(12)]
        return perform(song, notes, lambda f, held, _: oscillator("triangle", f, held) * adsr(held, 0.01, 1, 1, 0)[:held])

    row = dataclasses.replace(
        by_name("chiptune"), name="waltz", metre=3, lead=tune, effects=lambda song, stems: stems["lead"] + 0.5 * stems["chords"]
    )
    audio = perform_song(row, draw(row, 5, 4.0))
    assert audio.shape == (2, 4 * SAMPLE_RATE) and db(audio) > -21
    assert draw(row, 5, 4.0).key[-1] == zlib.crc32(b"waltz")


def test_bad_wishes_are_named():
    with pytest.raises(UsageError, match=r"polka.*techno"):
        compose("polka", 0, 1.0)
    with pytest.raises(UsageError, match="seconds"):
        compose("dub", 0, 0.0)
