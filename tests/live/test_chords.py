"""A cadence played on a keyboard is heard."""

import numpy as np
import pytest

from noizestream.control.chords import parse_chord
from rig.harness import play
from rig.jack_server import RATE, JackServer
from tests import foreign_models as foreign

CADENCE = [("Am", (57, 60, 64)), ("F", (53, 57, 60)), ("C", (48, 52, 55)), ("G", (55, 59, 62))]


@pytest.mark.parametrize("keys", ["3", "C3-C5"])
def test_the_chords_that_are_held_are_heard(jack_server: JackServer, tmp_path, keys):
    model = foreign.write(foreign.Layered(), tmp_path / "layered.ts", foreign.LAYERED)
    events = []
    for number, (_, notes) in enumerate(CADENCE):
        events += [(0.8 * number, [0x92, note, 90]) for note in notes]
        events += [(0.8 * number + 0.5, [0x82, note, 0]) for note in notes]
    run = play(jack_server, tmp_path, [str(model), "--chords", keys, "--headless", "--seconds", "6"], events)
    assert run.code == 0, run.err
    if run.stats["device_losses"] or len(run.heard.sent) < len(events):
        pytest.skip("the JACK server stood still for seconds: the machine is too busy for this test")
    assert run.stats["midi_ignored"] == 0
    for number, (name, _) in enumerate(CADENCE):
        start = run.heard.sent[6 * number] + RATE // 5
        part = run.heard.audio[start : start + RATE // 2, 0]  # half a second from 0.2 s on: the keys go up after 0.5
        loudest = np.abs(np.fft.rfft(part * np.hanning(len(part)), 4 * RATE)).argmax() / 4
        assert loudest == pytest.approx(foreign.chord_hz(parse_chord(name)), abs=2), name
