"""Nothing loud, no DC, no NaN leaves the engine; and what is not loud passes as it is."""

import numpy as np
import pytest

from noizestream.engine.fades import OPENING_S
from noizestream.engine.generator import load
from noizestream.engine.safety import SafeStream, Safety
from noizestream.system.ceiling import CEILING
from tests.foreign_models import Spoilt, write

RATE = 48000
LIMIT = 10 ** (-0.3 / 20)


def through(signal: np.ndarray, block: int = 512, boost: float = 1.0) -> np.ndarray:
    safety = Safety(signal.shape[0], RATE)
    starts = range(0, signal.shape[1], block)
    return np.concatenate([safety.process(signal[:, i : i + block].astype(np.float32), boost) for i in starts], axis=1)


def sine(hertz: float, level: float, seconds: float = 1.0) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)[None]


def test_the_ceiling_fits_24_bits_below_the_limit():
    assert CEILING <= LIMIT < CEILING + 2**-22
    assert int(CEILING * 2**23) == CEILING * 2**23 and np.float32(CEILING) == CEILING


@pytest.mark.parametrize("block", [64, 100, 512, 4096])
@pytest.mark.parametrize("boost", [1.0, 2.0, 30.0])
def test_no_sample_ever_above_the_ceiling(block, boost):
    rng = np.random.default_rng(1)
    clicks = np.zeros((2, RATE))
    clicks[:, rng.integers(0, RATE, 50)] = rng.choice([-1, 1], 50) * 10.0 ** rng.integers(-1, 30, 50)
    for signal in (rng.standard_normal((2, RATE)), clicks, sine(50, 3), np.full((1, RATE), 1e30)):
        made = through(signal, block, boost)
        assert made.dtype == np.float32 and np.isfinite(made).all() and np.abs(made).max() <= LIMIT


@pytest.mark.parametrize("hertz", [100, 440, 5000])
def test_quiet_audio_passes(hertz):
    signal = sine(hertz, 0.5)
    made = through(signal)
    settled = slice(RATE // 2, None)
    assert np.sqrt(np.mean((made - signal)[:, settled] ** 2)) < 0.06 * 0.5  # the phase of a 5 Hz high-pass
    assert np.abs(made[:, settled]).max() == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize("hertz", [220, 1000])
def test_too_loud_is_turned_down_not_chopped(hertz):
    made = through(sine(hertz, 1.4))[0, RATE // 2 :]
    spectrum = np.abs(np.fft.rfft(made * np.hanning(len(made)))) ** 2
    tone = slice(hertz // 2 - 3, hertz // 2 + 4)
    harmonics = 10 * np.log10((spectrum.sum() - spectrum[tone].sum()) / spectrum[tone].sum())
    chopped = np.clip(sine(hertz, 1.4), -CEILING, CEILING)[0, RATE // 2 :]
    reference = np.abs(np.fft.rfft(chopped * np.hanning(len(chopped)))) ** 2
    assert harmonics < -50 < 10 * np.log10((reference.sum() - reference[tone].sum()) / reference[tone].sum())


def test_the_limiter_lets_go_again():
    signal = np.concatenate([sine(440, 4.0, 0.5), sine(440, 0.5, 2.0)], axis=1)
    made = through(signal)
    assert np.abs(made[:, -RATE // 4 :]).max() == pytest.approx(0.5, rel=0.01)


def test_an_empty_block_changes_nothing_in_the_midst_of_letting_go():
    loud, after = sine(440, 4.0, 0.1).astype(np.float32), sine(440, 0.5, 0.1).astype(np.float32)
    plain, interrupted = Safety(1, RATE), Safety(1, RATE)
    assert np.array_equal(plain.process(loud), interrupted.process(loud))
    assert interrupted.process(loud[:, :0]).shape == (1, 0)
    assert np.array_equal(plain.process(after), interrupted.process(after))
    assert np.array_equal(plain.silence(100), interrupted.silence(100))


def test_channels_are_turned_down_alike():
    made = through(np.concatenate([sine(440, 2.0), sine(440, 0.2)]))[:, RATE // 2 :]
    assert np.abs(made[0]).max() / np.abs(made[1]).max() == pytest.approx(10, rel=0.01)


def test_dc_goes():
    made = through(sine(440, 0.2) + 0.5)
    assert abs(made[0, -4800:].mean()) < 1e-3
    assert abs(made[0, 0]) < 1e-6


def test_boost_is_gain_without_a_step():
    safety = Safety(1, RATE)
    tone = sine(100, 0.1)
    quiet = [safety.process(tone[:, i : i + 512].astype(np.float32)) for i in range(0, 24064, 512)]
    loud = [safety.process(tone[:, i : i + 512].astype(np.float32), 4.0) for i in range(24064, 47616, 512)]
    joined = np.concatenate(quiet + loud, axis=1)[0]
    assert np.abs(joined[30000:]).max() == pytest.approx(0.4, rel=0.02)
    slope = 0.4 * 2 * np.pi * 100 / RATE + 0.4 * 0.75 / 512
    assert np.abs(np.diff(joined[4800:])).max() < slope * 1.05


@pytest.mark.parametrize("spoilt", [np.nan, np.inf, -np.inf])
def test_of_a_spoilt_block_nothing_is_remembered(spoilt):
    tone = (2 * sine(100, 0.9)[:, :4096]).astype(np.float32)
    clean, disturbed = Safety(1, RATE), Safety(1, RATE)
    bad = tone[:, :512].copy()
    bad[0, 100] = spoilt
    for i in range(0, 4096, 512):
        assert disturbed.process(bad, 1.5) is None
        assert np.array_equal(disturbed.process(tone[:, i : i + 512], 1.5), clean.process(tone[:, i : i + 512], 1.5))


def test_a_stream_opens_and_breaks_without_a_click():
    safety = Safety(1, RATE)
    tone = sine(100, 0.9)[:, 100:].astype(np.float32)
    made = [safety.process(tone[:, i : i + 512]) for i in range(0, 4096, 512)]
    made += [safety.silence(512)]
    made += [safety.process(tone[:, i : i + 512]) for i in range(0, 4096, 512)]
    joined = np.concatenate(made, axis=1)[0]
    assert joined[0] == 0 and made[8][0, -1] == 0
    slope = 0.9 * 2 * np.pi * 100 / RATE + np.pi / 2 / (OPENING_S * RATE)
    assert np.abs(np.diff(joined)).max() < slope


def test_a_model_that_turns_to_nan_is_reset_and_comes_back(tmp_path):
    generator = load(write(Spoilt(), tmp_path / "spoilt.ts"))
    stream = SafeStream(generator)
    blocks = [stream.step() for _ in range(40)]
    assert all(np.isfinite(block).all() and block.shape == (2, 256) for block in blocks)
    assert stream.resets == 4
    loud = [bool(np.abs(block).max() > 0.05) for block in blocks]
    assert all(loud[i] for i in range(40) if i % 10 != 9)
    assert np.abs(blocks[9][:, -1]).max() == 0


def test_render_and_live_chain_are_deterministic(sine_model):
    def take():
        stream = SafeStream(load(sine_model, seed=9))
        return np.concatenate([stream.step(1.5) for _ in range(50)], axis=1)

    assert np.array_equal(take(), take())
