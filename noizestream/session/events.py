"""What happens in a session, as values: whoever subscribes gets them, and finds the words (those of the terminal: ui/events.py)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noizestream.session.status import SessionStatus


@dataclass(frozen=True)
class Started:
    """It sounds for the first time, as `status` says."""

    status: SessionStatus


@dataclass(frozen=True)
class DevicePlaysAgain:
    """A device plays after one was lost, as `status` says; it may be another."""

    status: SessionStatus


@dataclass(frozen=True)
class DeviceLost:
    """The audio device called `device` asks for no more sound; the music waits until one does."""

    device: str


@dataclass(frozen=True)
class PeriodChanged:
    """The device asks for `period_frames` at once now, so `ring_ms` of sound are kept ready."""

    period_frames: int
    ring_ms: float


@dataclass(frozen=True)
class ModelChanged:
    """The model called `model` plays from now on, in place of another."""

    model: str


@dataclass(frozen=True)
class ModelFailed:
    """Another model cannot be made ready, for this `reason`; the one called `playing` plays on."""

    reason: str
    playing: str


@dataclass(frozen=True)
class WorkerReplaced:
    """The worker that plays has died, as `reason` says; its standby plays on `at_once`, or another is started."""

    reason: str
    at_once: bool


@dataclass(frozen=True)
class RecordingMoved:
    """The recording goes on in the file `path`, as the device has another rate or other channels."""

    path: Path


@dataclass(frozen=True)
class RecordingEnded:
    """The recording ends for this `reason`, with `seconds` of sound in all its files, of which `path` is the last."""

    path: Path
    seconds: float
    reason: str


@dataclass(frozen=True)
class RecordingUnfinished:
    """The file `path` could not be finished, for this `reason`."""

    path: Path
    reason: str


@dataclass(frozen=True)
class PrimeMended:
    """Something in the recording that the music goes on from was mended; `line` says what, for a person."""

    line: str


@dataclass(frozen=True)
class Notice:
    """What a person should know, and `line` is all there is to it: a MIDI port has gone or come back."""

    line: str


@dataclass(frozen=True)
class Ended:
    """It has ended, with these `statistics`; of what could not go on, `error` says why."""

    statistics: Mapping[str, Any]
    error: BaseException | None


Event = (
    Started
    | DevicePlaysAgain
    | DeviceLost
    | PeriodChanged
    | ModelChanged
    | ModelFailed
    | WorkerReplaced
    | RecordingMoved
    | RecordingEnded
    | RecordingUnfinished
    | PrimeMended
    | Notice
    | Ended
)
