"""Chords set block by block."""

import numpy as np
import pytest

from noizestream.control.chords import parse_schedule
from noizestream.control.conductor import Conductor
from noizestream.engine.generator import load
from noizestream.errors import UsageError
from tests.foreign_models import LAYERED, Layered, write


@pytest.mark.parametrize("bpm", [40.0, 93.75, 117.3, 187.5, 220.0])
def test_each_chord_begins_in_the_block_in_which_its_beat_lies(tmp_path, bpm):
    generator = load(write(Layered(), tmp_path / "layered.ts", LAYERED))
    set_at = []
    step = generator.set_control
    generator.set_control = lambda name, value: (set_at.append((generator.block, name, value)), step(name, value))
    conductor = Conductor(generator, parse_schedule("Am:1 F:0.5 G:1.5"), bpm)
    for _ in range(1500):
        conductor.conduct()
        generator.step()
    beats = np.cumsum([0, *[1, 0.5, 1.5] * 20])
    blocks = [int(beat * 60 / bpm * 48000 / 256 + 1e-6) for beat in beats]
    expected = [(block, "chord", (21.0, 5.0, 7.0)[number % 3]) for number, block in enumerate(blocks) if block < 1500]
    assert set_at == expected


def test_a_model_without_chords(sine_model):
    with pytest.raises(UsageError, match="no control 'chord'"):
        Conductor(load(sine_model), parse_schedule("Am"), 120.0)
