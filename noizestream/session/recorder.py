"""What is played, to disk: 24-bit WAV at the device's rate, of any length, from a thread of its own.

The callback copies every period into the tap (realtime/output_bus.py), which holds TAP_S seconds; the thread empties it. A disk
that is slow or full never stops the music: what finds no room is counted, and a recording that fails ends with an event that says
why.
"""

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from noizestream.errors import NoizestreamError, UsageError, option
from noizestream.realtime.output_bus import OutputBus
from noizestream.session.events import Event, RecordingEnded, RecordingMoved, RecordingUnfinished
from noizestream.system.files import check_output, look
from noizestream.system.soundfiles import handle, reason, shorten_header, update_header

if TYPE_CHECKING:
    import soundfile

TAP_S = 10.0
WRITE_S = 0.1
"""How often the tap is emptied."""
UPDATE_S = 1.0
"""How often the header is brought up to date: a power cut costs no more of a take than this."""


def check_take(path: Path) -> Path:
    """Return `path` if a take can be recorded there; UsageError if not, or if an earlier one would be overwritten."""
    if path.suffix.lower() != ".wav":
        raise UsageError(f"{option('record')} {path}: give a name that ends in .wav")
    found = look(path, option("record"))
    if found is not None and not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{option('record')} {path}: a recording needs a file, as its header is written anew; give another name")
    if found is not None:
        raise UsageError(f"{option('record')} {path}: is there already and is not overwritten, give another name")
    return check_output(path, option("record"))


class Recorder:
    """Records what `bus` plays to `path`, from `open` until `end`.

    Under 4 GB the file is an ordinary WAV, beyond that RF64. A device of another `rate` [Hz] or number of channels (`shape`) goes
    on in another file: `take.wav`, `take-2.wav`. `tell` takes events, from the thread that writes.
    """

    def __init__(self, path: Path, bus: OutputBus, rate: int, channels: int, tell: Callable[[Event], None]):
        self.path, self._first, self._bus, self._tell = path, path, bus, tell
        self.seconds = 0.0
        self._shape = self._open_shape = (rate, channels)
        self._files = 0
        self._file: soundfile.SoundFile | None = None
        self._raw: IO[bytes]
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def open(self) -> Self:
        """Begin to record, once; NoizestreamError if the file cannot be made."""
        self._open_file()
        self._bus.take()  # what was played before is not of this take
        self._bus.recorder.tap_on = 1
        self._thread.start()
        return self

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def lost_ms(self) -> float:
        """What the disk was too slow for."""
        return 1e3 * self._bus.callback.tap_lost / self._shape[0]

    def shape(self, rate: int, channels: int) -> None:
        """The device that plays from now on; nothing is played while this is called."""
        self._shape = (rate, channels)

    def end(self, timeout_s: float = 10.0) -> None:
        """Write what is left and finish the file; gives up on a disk that takes longer.

        Safe to call twice, and if it never was opened.
        """
        if self._thread.is_alive():
            self._bus.recorder.tap_on = 0
            self._ending.set()
            self._thread.join(timeout_s)

    def _run(self) -> None:
        since_update = 0.0
        try:
            while not self._ending.wait(WRITE_S):
                self._write()
                since_update += WRITE_S
                if since_update >= UPDATE_S and self._file is not None:
                    since_update = 0.0
                    update_header(self._file)
            self._write()
        except Exception as error:  # whatever a disk may do
            self._bus.recorder.tap_on = 0
            self._tell(RecordingEnded(self.path, self.seconds, reason(error)))
        finally:
            self._close_file()

    def _write(self) -> None:
        # Read before the tap is emptied: what the last device played is all in the tap by the time that `shape` is called.
        shape = self._shape
        samples = self._bus.take()
        if len(samples) and self._file is not None:
            frames = samples.reshape(-1, self._open_shape[1])
            self._file.write(frames)
            self.seconds += len(frames) / self._open_shape[0]
        if shape != self._open_shape:
            self._close_file()
            self._open_shape = shape
            self._open_file()
            self._tell(RecordingMoved(self.path))

    def _open_file(self) -> None:
        import soundfile

        self._files += 1
        while self._files > 1 and os.path.lexists(self.path):  # an earlier take is never overwritten
            self.path = self._first.with_name(f"{self._first.stem}-{self._files}{self._first.suffix}")
            self._files += os.path.lexists(self.path)
        rate, channels = self._open_shape
        try:
            self._raw = open(self.path, "wb+")  # noqa: SIM115 (closed with the take)
            self._file = soundfile.SoundFile(handle(self._raw), "w", rate, channels, "PCM_24", format="RF64", closefd=False)
        except (OSError, soundfile.LibsndfileError) as error:
            raise NoizestreamError(f"{option('record')} {self.path}: cannot be written ({reason(error)})") from None
        shorten_header(self._file)

    def _close_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                with self._raw:
                    file.close()  # writes the header for what is there
            except Exception as error:
                self._tell(RecordingUnfinished(self.path, reason(error)))
