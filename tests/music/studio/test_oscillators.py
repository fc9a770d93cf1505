import numpy as np
import pytest

from noizestream.music.studio.effects import PEAK, duck, echo, master
from noizestream.music.studio.oscillators import SAMPLE_RATE, TOP, adsr, bell, hertz, oscillator


def spectrum_db(audio: np.ndarray) -> np.ndarray:
    magnitude = np.abs(np.fft.rfft(audio * np.blackman(len(audio))))
    return 20 * np.log10(magnitude / magnitude.max() + 1e-12)


@pytest.mark.parametrize("shape", ["saw", "pulse25", "steps", "organ"])
@pytest.mark.parametrize("pitch", [33, 69, 100])
def test_oscillators_do_not_alias(shape, pitch):
    frequency = hertz(pitch) * 1.00317
    level = spectrum_db(oscillator(shape, frequency, SAMPLE_RATE))
    bins = np.arange(len(level))
    away = np.abs(bins / frequency - np.round(bins / frequency)) * frequency > 6
    assert level[away].max() < -55, "energy between the harmonics"
    assert level[bins > TOP + 10].max() < -55, "harmonics beyond the top"


def test_a_moving_cutoff_darkens_and_stays_on_pitch():
    cutoff = np.geomspace(8000, 200, SAMPLE_RATE)
    tone = oscillator("saw", 110.0, SAMPLE_RATE, cutoff)
    early, late = (np.abs(np.fft.rfft(part)) ** 2 for part in (tone[:9600], tone[-9600:]))
    hertz_of = np.fft.rfftfreq(9600, 1 / SAMPLE_RATE)
    assert (early * hertz_of).sum() / early.sum() > 2 * (late * hertz_of).sum() / late.sum()
    assert abs(hertz_of[np.argmax(late)] - 110) < 6


def test_envelopes_begin_and_end_at_nothing():
    for held in (0, 10, 4800):
        envelope = adsr(held, 0.01, 0.1, 0.5, 0.05)
        assert len(envelope) == held + 2400 and envelope[-1] == 0 and envelope[0] == 0 and envelope.max() <= 1


def test_bells_stay_below_the_top():
    level = spectrum_db(bell(2000.0, SAMPLE_RATE, 3.5, 5.0, 0.5))
    assert level[18000:].max() < -45


def test_echo_repeats_at_its_time():
    audio = np.zeros((2, SAMPLE_RATE), np.float32)
    audio[:, 100:400] = 1.0
    loud = np.abs(echo(audio, 0.25, 0.5, (50, 8000))).max(0)
    assert loud[: 12000 + 99].max() == 0 and loud[12100:12400].max() > 0.5
    assert 0.1 < loud[24100:24400].max() < loud[12100:12400].max()


def test_duck_dips_after_each_start_and_recovers():
    gain = duck(10000, np.array([2000]), 0.8, 0.05)
    assert gain[500] == 1 and gain[2300] < 0.45 and gain[5000] > 0.99
    assert np.all(duck(100, np.array([]), 0.8, 0.05) == 1)


def test_master_holds_level_and_ceiling_for_spiky_sound():
    rng = np.random.default_rng(0)
    audio = 0.01 * rng.standard_normal((2, SAMPLE_RATE)) + 0.3
    audio[:, ::4800] += 2.0
    done = master(audio, -18.0)
    assert np.abs(done).max() <= PEAK + 1e-6
    assert abs(20 * np.log10(np.sqrt(np.mean(done**2))) + 18) < 1.0
    assert np.abs(done[:, 4800:].mean()) < 0.01
