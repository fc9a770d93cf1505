"""What happens in a session, in words."""

from pathlib import Path

import pytest

from noizestream.session import events
from noizestream.ui.announcement import again, announcement
from noizestream.ui.events import lines
from tests.ui.statuses import STATUS


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (events.DeviceLost("card"), "card: the audio device is gone; the music waits for it"),
        (events.PeriodChanged(4096, 181.3), "the device asks for 4096 frames at once now; 181 ms of sound kept ready"),
        (events.ModelFailed("b.ts: is broken", "a"), "b.ts: is broken; a plays on"),
        (events.WorkerReplaced("a.ts: it died; another plays on", True), "a.ts: it died; another plays on"),
        (events.WorkerReplaced("a.ts: it died", False), "a.ts: it died; it is started again"),
        (
            events.RecordingMoved(Path("take-2.wav")),
            "recording goes on in take-2.wav: the device has another rate or other channels",
        ),
        (
            events.RecordingEnded(Path("take.wav"), 12.34, "File too large"),
            "take.wav: the recording ends after 12.3 s (File too large); the music goes on",
        ),
        (events.RecordingUnfinished(Path("take.wav"), "No space"), "take.wav: could not be finished (No space)"),
        (events.Notice("MIDI     keys (JACK) is back"), "MIDI     keys (JACK) is back"),
    ],
)
def test_each_has_its_line(event, line):
    assert lines(event) == [line]


def test_a_start_is_announced_and_what_is_seen_anyway_is_not_said():
    assert lines(events.Started(STATUS)) == announcement(STATUS)
    assert lines(events.DevicePlaysAgain(STATUS)) == again(STATUS)
    for event in (events.ModelChanged("fma"), events.PrimeMended("mended"), events.Ended({}, None)):
        assert lines(event) == []
