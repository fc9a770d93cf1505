"""What a model says of real music, on a scripted model whose answers are known."""

import dataclasses

import numpy as np
import pytest
import soundfile

from noizestream.analysis.corpus import Piece
from noizestream.analysis.excerpts import KNOWN, STRETCH_S, UNSEEN, excerpts, fit_channels
from noizestream.analysis.probing import Probe, codec, prediction
from noizestream.errors import NoizestreamError
from noizestream.modelfile import archive
from noizestream.music.tracks import Track
from tests import foreign_models
from tests.analysis import optional_model

RATE = 48000
BEAT_S = 0.5


@pytest.fixture(scope="module")
def pieces(tmp_path_factory) -> list[Piece]:
    """Two clips: clicks at 120 BPM over noise, the last part of the first and all of the second unseen."""
    folder, found = tmp_path_factory.mktemp("probed"), []
    for name, seconds, known, unseen in (("a", 12.0, 9.0, 10.0), ("b", 9.0, 0.0, 0.0)):
        random = np.random.default_rng(len(found))
        audio = 0.02 * random.standard_normal(round(seconds * RATE))
        for start in np.arange(0, seconds - 0.1, BEAT_S):
            audio[round(start * RATE) : round(start * RATE) + 2400] += 0.3 * random.standard_normal(2400)
        soundfile.write(folder / f"{name}.wav", audio.clip(-1, 1), RATE, subtype="FLOAT")
        found.append(Piece(Track(folder / f"{name}.wav", "a"), 0.0, seconds, known, unseen, {}))
    return found


@pytest.fixture
def probe(tmp_path):
    def make(module) -> Probe:
        return Probe(*archive.load(foreign_models.write(module, tmp_path / "m.ts", optional_model.METADATA)))

    return make


def test_persistence_errs_as_the_last_frame_does(probe, pieces):
    unseen = excerpts(pieces, UNSEEN, 60)
    figures = prediction(probe(optional_model.Persistent()), "A", None, unseen)
    assert figures["nats"] == 1.0 and figures["model"] == pytest.approx(figures["last_frame"])
    assert figures["model"]["mse"] > 0.01 and abs(figures["model"]["mbe"]) < 0.05
    assert figures["frames"] == (2 + 9) * RATE // 256 - 2


def test_known_beats_reach_the_model_and_are_folded_to_the_genres_tempo(probe, pieces):
    clocked = probe(optional_model.Clocked())
    whole = [dataclasses.replace(pieces[1], unseen_s=4.0)]  # 4 to 9 s: beats 8 to 18
    middle = prediction(clocked, "A", 118.0, excerpts(whole, UNSEEN, 60))
    assert middle["nats"] == pytest.approx(13, abs=1.3)
    half = prediction(clocked, "A", 61.0, excerpts(whole, UNSEEN, 60))
    assert half["nats"] == pytest.approx(middle["nats"] / 2, rel=0.01)


def test_reconstruction_is_measured_at_the_models_channels(probe, pieces):
    figures = codec(probe(optional_model.Persistent()), excerpts(pieces, UNSEEN, 60))
    assert figures["codec"] == pytest.approx(np.log10(2), rel=0.1) and figures["seconds"] == pytest.approx(11)


def test_what_is_not_offered_is_none_and_what_fails_is_named(probe, pieces):
    unseen = excerpts(pieces, UNSEEN, 60)
    plain = probe(foreign_models.White())
    assert prediction(plain, "A", None, unseen) is None and codec(plain, unseen) is None
    assert codec(probe(optional_model.Persistent()), []) is None
    with pytest.raises(NoizestreamError, match=r"^foreign: its reconstruct fails"):
        codec(probe(optional_model.Failing()), unseen)


def test_excerpts_are_bounded_and_spread():
    pieces = [Piece(Track(f"{number}.wav", "a"), 0.0, 100.0, 80.0, 90.0, {}) for number in range(20)]
    for part, least, most in ((KNOWN, 0.0, 80.0), (UNSEEN, 90.0, 100.0)):
        chosen = excerpts(pieces, part, 120)
        stretches = [stretch for excerpt in chosen for stretch in excerpt.stretches]
        assert sum(last - first for first, last in stretches) == pytest.approx(120)
        assert all(least <= first < last <= most and last - first <= STRETCH_S for first, last in stretches)
        assert chosen[0].path == "0.wav" and chosen[-1].path == "19.wav"
    assert excerpts(pieces, "unseen", 1e6)[3].stretches == ((90.0, 100.0),)
    assert excerpts([dataclasses.replace(pieces[0], unseen_s=99.5)], UNSEEN, 60) == []


def test_channels_fit():
    stereo = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    assert fit_channels(stereo, 2) is stereo
    np.testing.assert_array_equal(fit_channels(stereo, 1), [[2, 3]])
    np.testing.assert_array_equal(fit_channels(stereo[:1], 2), [[1, 2], [1, 2]])
