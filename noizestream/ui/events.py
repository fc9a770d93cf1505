"""What happens in a session, in words for the terminal."""

from noizestream.session.events import (
    DeviceLost,
    DevicePlaysAgain,
    Event,
    ModelFailed,
    Notice,
    PeriodChanged,
    RecordingEnded,
    RecordingMoved,
    RecordingUnfinished,
    Started,
    WorkerReplaced,
)
from noizestream.ui.announcement import again, announcement


def lines(event: Event) -> list[str]:
    """Return the lines that a person reads of `event`; none of what is seen anyway, as another model is in the status line."""
    match event:
        case Started(status):
            return announcement(status)
        case DevicePlaysAgain(status):
            return again(status)
        case DeviceLost(device):
            return [f"{device}: the audio device is gone; the music waits for it"]
        case PeriodChanged(period_frames, ring_ms):
            return [f"the device asks for {period_frames} frames at once now; {ring_ms:.0f} ms of sound kept ready"]
        case ModelFailed(reason, playing):
            return [f"{reason}; {playing} plays on"]
        case WorkerReplaced(reason, at_once):
            return [reason if at_once else f"{reason}; it is started again"]
        case RecordingMoved(path):
            return [f"recording goes on in {path}: the device has another rate or other channels"]
        case RecordingEnded(path, seconds, reason):
            return [f"{path}: the recording ends after {seconds:.1f} s ({reason}); the music goes on"]
        case RecordingUnfinished(path, reason):
            return [f"{path}: could not be finished ({reason})"]
        case Notice(line):
            return [line]
    return []
