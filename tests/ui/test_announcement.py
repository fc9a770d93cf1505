"""What `play` says before it sounds."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from noizestream.devices.audio_process import Found, Opened
from noizestream.modelfile.metadata import Metadata
from noizestream.ui.announcement import announcement
from tests.foreign_models import METADATA

LATENCY = {"midi": 1, "change": 1, "device": 1, "model": 1, "control": 4, "ring": 10}


@pytest.mark.parametrize("count", [128, 161])
def test_genres_that_midi_cannot_choose_are_said(count):
    model = replace(Metadata(**METADATA), genres=[f"G{number}" for number in range(count)])
    found = Found(SimpleNamespace(name="card", host="ALSA"), model.sample_rate, model.channels)
    lines = announcement([model], "float32", found, Opened(0.01, True), 256, LATENCY, None)
    assert any("first 128 of 161 genres" in line for line in lines) == (count > 128)
