"""Rendering from Python: the samples of the stream, whole files or none."""

import numpy as np
import pytest
import soundfile

from noizestream.engine.generator import load
from noizestream.engine.render import render
from noizestream.engine.safety import SafeStream
from noizestream.errors import NoizestreamError, UsageError
from tests.foreign_models import White, write


def test_a_file_holds_the_stream(sine_model, tmp_path):
    calls = []
    factor = render(load(sine_model, seed=2), tmp_path / "take.wav", 0.5, lambda done, total: calls.append((done, total)))
    audio, rate = soundfile.read(tmp_path / "take.wav", dtype="float64")
    stream = SafeStream(load(sine_model, seed=2))
    expected = np.concatenate([stream.step() for _ in range(47)], axis=1)[0, :24000]
    assert rate == 48000 and len(audio) == 24000 and factor > 0
    assert np.abs(audio - expected)[:-240].max() <= 2.0**-23
    assert audio[0] == 0 and audio[-1] == 0 and np.abs(audio[-100:]).max() <= np.abs(expected[-240:]).max()
    assert calls == [(16384, 24000), (24000, 24000)]
    assert soundfile.info(tmp_path / "take.wav").subtype == "PCM_24"


@pytest.mark.parametrize("frames", [1, 2, 100, 511, 512, 513, 700])
def test_any_length(sine_model, tmp_path, frames):
    render(load(sine_model), tmp_path / "short.flac", frames / 48000)
    assert soundfile.info(tmp_path / "short.flac").frames == frames


def test_nothing_half_written_when_interrupted(sine_model, tmp_path):
    path = tmp_path / "take.wav"
    path.write_text("precious")

    def interrupt(done, total):
        if done > 5000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(load(sine_model), path, 1.0, interrupt)
    assert path.read_text() == "precious" and list(tmp_path.iterdir()) == [path]


def test_a_model_that_makes_nothing_leaves_no_file(tmp_path):
    generator = load(write(White(), tmp_path / "white.ts"))
    generator.clear_state = lambda: None
    generator.state = []  # every step raises from here on
    with pytest.raises(NoizestreamError, match="spoilt"):
        render(generator, tmp_path / "take.wav", 0.1)
    assert not list(tmp_path.glob("*take*"))


def test_length_must_be_positive(sine_model, tmp_path):
    for seconds in (0, -1, 1e-9):
        with pytest.raises(UsageError):
            render(load(sine_model), tmp_path / "take.wav", seconds)
