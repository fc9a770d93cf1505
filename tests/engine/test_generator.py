"""The generator: one stream whatever the chunks, decided by the seed and the calls alone."""

import numpy as np
import pytest
import torch

import noizestream
from noizestream.engine.generator import load, prepare_torch
from noizestream.errors import NoizestreamError, UsageError
from noizestream.realtime.tuning import state
from tests.foreign_models import White, write

FRAMES = 20000


@pytest.fixture
def generator(sine_model):
    return load(sine_model, seed=5)


def peak_hz(samples: np.ndarray, rate: int = 48000) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * rate / len(samples))


@pytest.mark.parametrize("size", [1, 17, 509, 4096])
def test_any_chunk_size_reads_the_same_stream(generator, size):
    whole = generator.pull(FRAMES)
    generator.reset()
    parts = [generator.pull(min(size, FRAMES - start)) for start in range(0, FRAMES, size)]
    assert np.array_equal(np.concatenate(parts, axis=1), whole)


def test_step_and_pull_mix(generator):
    whole = generator.pull(512 * 6 + 100)
    generator.reset()
    parts = [generator.step(), generator.pull(0), generator.pull(100), generator.step(), generator.pull(512 * 4)]
    assert np.array_equal(np.concatenate(parts, axis=1), whole)
    assert parts[3].shape == (1, 512)


def test_same_seed_same_samples_another_differs(generator):
    first = generator.pull(FRAMES)
    generator.reset()
    assert np.array_equal(generator.pull(FRAMES), first)
    generator.reset(6)
    assert generator.seed == 6 and not np.array_equal(generator.pull(FRAMES), first)


def test_a_fresh_one_equals_a_reset_one(sine_model, generator):
    generator.pull(777)
    generator.reset()
    assert np.array_equal(generator.pull(5000), noizestream.load(sine_model, seed=5).pull(5000))


@pytest.mark.parametrize(("genre", "hertz"), [("a", 220), ("B", 440), ([0, 0, 1], 880), ([0, 0, 9], 880)])
def test_genre_decides_the_tone(generator, genre, hertz):
    generator.set_genre(genre)
    assert peak_hz(generator.pull(48000)[0]) == pytest.approx(hertz, abs=1)


def test_a_mix_has_both(generator):
    generator.set_genre("A:0.5,C:0.5")
    spectrum = np.abs(np.fft.rfft(generator.pull(48000 * 2)[0, 48000:]))
    assert set(np.argsort(spectrum)[-2:]) == {220, 880}


def test_temperature_zero_is_steady(generator):
    def level_spread():
        return generator.pull(48000)[0, 4800:].reshape(-1, 2400).max(axis=1).std()

    wild = level_spread()
    generator.set_control("temperature", 0)
    generator.pull(512)
    assert level_spread() < 1e-4 < wild


@pytest.mark.parametrize("weights", [[1, 0], [0, 0, 0], [-1, 2, 0], [np.nan, 1, 0], "D", "A:x"])
def test_impossible_genres(generator, weights):
    with pytest.raises(UsageError):
        generator.set_genre(weights)


def test_controls_out_of_range(generator):
    for name, value in (("temperature", -1), ("temperature", 2.1), ("temperature", float("nan")), ("sparkle", 0)):
        with pytest.raises(UsageError):
            generator.set_control(name, value)


def test_a_change_does_not_reach_into_the_past(generator):
    """Controls are read when a block is made: what was pulled before is the same with and without a later change."""
    whole = generator.pull(2048)
    generator.reset()
    before = generator.pull(1024)
    generator.set_genre("C")
    after = generator.pull(1024)
    assert np.array_equal(before, whole[:, :1024]) and not np.array_equal(after, whole[:, 1024:])


def test_a_kept_block_is_not_overwritten(generator):
    kept = generator.step()
    copy = kept.copy()
    generator.step()
    assert np.array_equal(kept, copy)


def test_a_block_that_raises_is_an_error_and_the_stream_goes_on(tmp_path):
    generator = load(write(White(), tmp_path / "white.ts"))
    state = generator.state
    generator.state = []  # as a model that loses its state would
    with pytest.raises(NoizestreamError, match="step fails") as raised:
        generator.step()
    assert "\n" not in str(raised.value)
    generator.state = state
    assert np.isfinite(generator.step()).all()


def test_latency_comes_from_the_metadata(generator):
    assert generator.latency_frames == generator.metadata.latency_frames == 0


def test_loading_leaves_torchs_settings_to_the_program_that_loads(sine_model):
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        torch.set_flush_denormal(False)
        load(sine_model)
        assert (state()["threads"], state()["denormals_flushed"]) == (2, False)
        prepare_torch()
        assert (state()["threads"], state()["denormals_flushed"]) == (1, True)
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)


@pytest.mark.parametrize("value", [-0.1, 2.1, float("nan")])
def test_a_value_out_of_range_is_refused_however_it_is_set(generator, value):
    for set_it in (lambda: generator.set_control("temperature", value), lambda: generator.set_controls([value])):
        with pytest.raises(UsageError, match=r"temperature: .* is out of range, give 0 to 2"):
            set_it()


def test_all_controls_are_set_at_once_or_none(generator):
    with pytest.raises(UsageError, match="1 numbers are needed, one each for temperature"):
        generator.set_controls([1.0, 1.0])
    generator.set_controls(generator.metadata.limited([7.0]))
    assert generator._controls.tolist() == [2.0]
