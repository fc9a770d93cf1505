"""What `play` says before it sounds."""

from dataclasses import replace

import pytest

from noizestream.modelfile.metadata import Metadata
from noizestream.ui.announcement import again, announcement
from tests.ui.statuses import DEVICE, STATUS


@pytest.mark.parametrize("count", [128, 161])
def test_genres_that_midi_cannot_choose_are_said(count):
    model = replace(STATUS.metadata, genres=[f"G{number}" for number in range(count)])
    lines = announcement(replace(STATUS, models=(model,)))
    assert any("first 128 of 161 genres" in line for line in lines) == (count > 128)


def test_it_says_which_models_through_what_and_how_late():
    assert announcement(STATUS) == [
        "model    foreign: Jazz, Folk, Free Jazz",
        "device   card (ALSA), 48000 Hz, 2 channels, periods of 256 frames",
        "block    256 frames, 5.3 ms, stepped in float32",
        "latency  audio 3 ms; control to sound 10 ms (midi 1 + change 2 + device 3 + model 4); 58 ms of sound kept ready",
        "MIDI     no port found, playing on without",
    ]


def test_where_osc_is_listened_to_is_said():
    assert announcement(replace(STATUS, osc=("127.0.0.1", 9000)))[-1] == "OSC      127.0.0.1:9000"


def test_a_device_that_is_not_as_the_model_is_said_at_once_and_again():
    status = replace(STATUS, device=replace(DEVICE, rate=44100, channels=1, compiled=False))
    differences = [
        "         it does not take 48000 Hz, the model's rate: resampled live",
        "         the model has 2 channels, mapped to 1",
    ]
    assert again(status) == ["playing again on card (ALSA), 44100 Hz, 1 channel", *differences]
    assert announcement(status)[2:4] == differences and "numba is missing" in announcement(status)[4]


def test_the_model_that_plays_gives_the_block_and_all_are_listed():
    other = Metadata(**{**vars(STATUS.metadata), "name": "other", "block_frames": 480})
    lines = announcement(replace(STATUS, models=(STATUS.metadata, other), model=1))
    assert lines[:2] == ["model    foreign: Jazz, Folk, Free Jazz", "model    other: Jazz, Folk, Free Jazz"]
    assert "block    480 frames, 10.0 ms, stepped in float32" in lines
