"""What is learned of a recording: silence that does not look like it, loudness that is none, channels that hide the music."""

import io

import numpy as np
import pytest
from rich.console import Console

from noizestream.music.examine import examine, mend
from noizestream.music.skipped import Skip, Skipped, skipped_table

RATE = 8000
TONE = 0.3 * np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / RATE).astype(np.float32)
OTHER = np.random.default_rng(0).uniform(-0.3, 0.3, len(TONE)).astype(np.float32)
NONE = np.zeros_like(TONE)


@pytest.mark.parametrize("audio", [[TONE], [TONE, OTHER], [TONE, TONE], [TONE, -0.5 * TONE + OTHER], [3 * TONE, OTHER]])
def test_music_stays_as_it_is(audio):
    found, note = examine(np.stack(audio), RATE)
    assert note == "" and np.array_equal(found, np.stack(audio))


@pytest.mark.parametrize(
    ("audio", "reason"),
    [
        ([NONE, NONE], "silent"),
        ([NONE + 0.5], "silent"),  # an offset alone
        ([NONE + 0.5, NONE - 0.5], "silent"),
        ([NONE + np.nan], "NaN or infinite"),
        ([TONE, NONE + np.inf], "NaN or infinite"),
        ([TONE * 1e20], "where 1 is full scale"),
        ([TONE[:100]], "too short"),
        ([NONE[:0]], "too short"),
    ],
)
def test_what_holds_no_music_is_refused(audio, reason):
    with pytest.raises(Skip, match=reason):
        examine(np.stack(audio), RATE)


@pytest.mark.parametrize("audio", [[TONE, -TONE], [TONE, -0.9 * TONE], [TONE, -TONE, 0.01 * OTHER, NONE, NONE, NONE]])
def test_of_channels_that_cancel_one_is_used(audio):
    found, note = examine(np.stack(audio), RATE)
    assert np.array_equal(found, TONE[None]) and "cancel" in note


def test_a_front_pair_that_cancels_leaves_the_other_channels_as_they_are():
    audio = np.stack([TONE, -TONE, OTHER, OTHER[::-1], TONE[::-1], OTHER])
    assert np.array_equal(examine(audio, RATE)[0], audio)


def test_silent_channels_are_left_out():
    found, note = examine(np.stack([NONE, OTHER]), RATE)
    assert np.array_equal(found, OTHER[None]) and "1 of its 2 channels silent" in note
    found, note = examine(np.stack([TONE, OTHER, NONE + 0.1, NONE, NONE, NONE]), RATE)
    assert np.array_equal(found, np.stack([TONE, OTHER])) and "4 of its 6" in note


@pytest.mark.parametrize("bits", [15, 23, 31])
def test_integers_as_floats_are_scaled(bits):
    found, note = examine((TONE * 2.0**bits)[None].astype(np.float32), RATE)
    assert np.allclose(found, TONE, atol=1e-6) and "full scale: divided by" in note


def test_mending_leaves_silence_alone():
    assert mend(np.stack([NONE, NONE]), RATE)[1] == "" and mend(np.zeros((2, 0), np.float32), RATE)[1] == ""


def test_the_table_tells_what_is_used_from_what_is_not():
    text = io.StringIO()
    skipped_table([Skipped("a.wav", "silent"), Skipped("b.wav", "half of it", used=True)], Console(file=text, width=80))
    assert "skipped: 1, used with a fault: 1" in " ".join(text.getvalue().split()) and "used: half of it" in text.getvalue()
