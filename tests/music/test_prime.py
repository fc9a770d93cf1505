"""What `--prime` hears of a recording, and what it does not take."""

import numpy as np
import pytest
import soundfile

from noizestream.errors import NoizestreamError
from noizestream.music import prime
from noizestream.music.prime import read_prime

RATE = 8000


def written(path, audio, rate=RATE):
    soundfile.write(path, audio, rate, subtype="FLOAT")
    return path


def test_it_hears_the_end_of_a_long_recording_and_all_of_a_short_one(tmp_path, monkeypatch):
    monkeypatch.setattr(prime, "LONGEST_S", 2.0)
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (5 * RATE, 2)).astype(np.float32)
    assert np.array_equal(read_prime(written(tmp_path / "long.wav", audio), RATE), audio[-2 * RATE :].T)
    assert np.array_equal(read_prime(written(tmp_path / "short.wav", audio[:RATE]), RATE), audio[:RATE].T)


def test_another_rate_is_resampled(tmp_path):
    tone = np.sin(2 * np.pi * 440 * np.arange(11025) / 11025).astype(np.float32)
    heard = read_prime(written(tmp_path / "tone.wav", tone, 11025), RATE)
    assert heard.shape == (1, RATE) and np.abs(np.fft.rfft(heard[0])).argmax() == 440


def test_a_recording_shorter_than_its_header_says(tmp_path, monkeypatch):
    monkeypatch.setattr(prime, "header_seconds", lambda path: 500.0)
    assert read_prime(written(tmp_path / "a.wav", np.full(RATE, 0.1)), RATE).shape == (1, RATE)


@pytest.mark.parametrize(("name", "reason"), [("short", "too short"), ("nan", "NaN"), ("text", "unreadable"), ("none", "missing")])
def test_what_cannot_be_heard_is_one_line(tmp_path, name, reason):
    path = tmp_path / f"{name}.wav"
    if name == "text":
        path.write_text("this is not audio")
    elif name != "none":
        written(path, np.full(100 if name == "short" else RATE, np.nan if name == "nan" else 0.1))
    with pytest.raises(NoizestreamError, match=reason) as raised:
        read_prime(path, RATE)
    assert str(raised.value).startswith(f"prime {path}: ") and "\n" not in str(raised.value)


def test_the_end_of_what_has_no_length_is_heard(tmp_path, monkeypatch):
    monkeypatch.setattr(prime, "LONGEST_S", 2.0)
    monkeypatch.setattr(prime, "header_seconds", lambda path: 0.0)
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (5 * RATE, 2)).astype(np.float32)
    assert np.array_equal(read_prime(written(tmp_path / "a.wav", audio), RATE), audio[-2 * RATE :].T)


def test_what_would_be_silent_in_the_mix_is_mended_and_said(tmp_path):
    tone = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE).astype(np.float32)
    said: list[str] = []
    heard = read_prime(written(tmp_path / "a.wav", np.stack([tone, -tone], axis=1)), RATE, said.append)
    assert np.array_equal(heard, tone[None]) and len(said) == 1 and "a.wav: its channels cancel" in said[0]
