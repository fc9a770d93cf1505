"""The MIDI process: it owns RtMidi and listens, and nothing else. And the main process's handle on it.

RtMidi reads JACK's buffer unchecked: a server that is late takes it away meanwhile, and the process crashes. So
it is a process of its own; when it crashes the music goes on, and another listens (docs/decisions/0026-midi-has-a-process.md).

    main process                            MIDI process
    MidiInput(asked, ...)      --spawn-->   looks for the port
    wait() -> port             <--pipe---   it listens to this one, None: there is none yet
    handle(message)            <--pipe---   every message
    say(line)                  <--pipe---   the port has gone, or is there
    tick()                     --spawn-->   another in place of one that has ended
    close()                    --pipe--->   ends; also when the main process dies
"""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection

from noizestream.devices.rtmidi import Listener, MidiPort, find_port
from noizestream.errors import NoizestreamError
from noizestream.realtime.process import ignore_signals, spawn
from noizestream.system.stderr import silence_stderr

POLL_SECONDS = 0.002
LOOK_SECONDS = 1.0
"""How often it is looked whether the port is still there, or has come back; and the pause before another process is tried."""

START_TIMEOUT_S = 30.0

ENDING_S = 0.2
"""A process that says no more has so long to end by itself: one whose JACK server died may hang in leaving it."""


class MidiInput:
    """Listens to the port `asked` for (None: the first real instrument), and hands every message, its bytes, to `handle`.

    That happens in a thread of its own. A port that goes is waited for, and listened to again; without one the first real one that
    comes is taken. `say` takes lines for the user, `lost` is called when it goes. `close` it at the end. `losses`, `restarts` and
    `errors` count ports that went, processes that ended, and what could not be handled.
    """

    def __init__(
        self,
        asked: str | None,
        handle: Callable[[Sequence[int]], None],
        say: Callable[[str], None] = lambda line: None,
        lost: Callable[[], None] = lambda: None,
    ):
        self.port: MidiPort | None = None
        self.losses = self.restarts = self.errors = 0
        self._handle, self._say, self._lost = handle, say, lost
        self._error = ""
        self._answered, self._ending, self._server_died = threading.Event(), False, False
        self._start(asked)

    def wait(self) -> MidiPort | None:
        """Return the port that is listened to, None: there is none yet. NoizestreamError if the one asked for does not open."""
        self._answered.wait(START_TIMEOUT_S)
        if self._error:
            raise NoizestreamError(self._error)
        return self.port

    def tick(self) -> None:
        """Have another process listen where one has ended. From the main thread, every now and then."""
        if self._thread.is_alive() or self._ending or time.monotonic() < self._started + LOOK_SECONDS:
            return
        if not self._pipe.closed:
            self._process.join(ENDING_S)
            self._process.kill()
            self._process.join()
            self._pipe.close()
            if not self._server_died:
                self.restarts += 1
                self._say(f"the MIDI process ended unexpectedly (exit code {self._process.exitcode}); another listens")
            self._server_died = False
        with contextlib.suppress(NoizestreamError):  # the system gives none now; it is asked again
            self._start(None)

    def server_died(self) -> None:
        """The JACK server has gone: a client of it lists the ports that were there last for ever, so this one must not go on."""
        if self.port is not None and "jack" in self.port.api_name.lower():
            self._server_died = True
            self._process.kill()
            self._lose()

    def close(self) -> None:
        """Stop listening and end the process, by force where it does not end."""
        self._ending = True
        with contextlib.suppress(OSError):  # it has ended
            self._pipe.send(None)
        self._process.join(1.0)
        self._process.kill()
        self._thread.join()
        self._process.join()
        self._pipe.close()

    def _start(self, asked: str | None) -> None:
        self._started = time.monotonic()
        self._pipe, self._process = spawn(_run, "midi", asked, self.port, self._answered.is_set())
        self._thread = threading.Thread(target=self._hear, args=(self._pipe,), name="midi", daemon=True)
        self._thread.start()

    def _hear(self, pipe: Connection) -> None:
        """Until the process ends."""
        with contextlib.suppress(EOFError, OSError):
            while True:
                heard = pipe.recv()
                try:
                    self._take(heard)
                except Exception as error:  # whatever a message does: the music goes on, and so do we
                    self.errors += 1
                    if self.errors == 1:
                        what = f"{type(error).__name__}: {error}"
                        self._say(f"a MIDI message could not be handled ({what}); the music goes on, further ones are counted")
        self._answered.set()

    def _take(self, heard: bytes | str | MidiPort | None) -> None:
        """A message; or why the process cannot listen; or the port that it listens to now."""
        if isinstance(heard, bytes):
            self._handle(heard)
            return
        if isinstance(heard, str):
            self._error = heard
        elif self._answered.is_set():
            self._changed(heard)
        else:
            self.port = heard
        self._answered.set()

    def _changed(self, port: MidiPort | None) -> None:
        if port is None:
            self._lose()
        else:
            self._say(f"MIDI     {port.name} ({port.api_name})" + (" is back" if self.port else ""))
            self.port = port

    def _lose(self) -> None:
        self.losses += 1
        self._lost()
        self._say(f"{self.port.name if self.port else ''}: the MIDI port is gone; the music goes on, and it is waited for")


def _run(pipe: Connection, asked: str | None, awaited: MidiPort | None, again: bool) -> None:
    """The MIDI process from start to end; `again`: in place of one before, which listened to `awaited`."""
    ignore_signals()
    silence_stderr()
    with contextlib.suppress(OSError):  # the main process has ended
        try:
            listener = Listener(None if again else find_port(asked), awaited)
        except NoizestreamError as error:
            pipe.send(str(error))
            return
        if again:
            _look(listener, pipe)
        else:
            pipe.send(listener.port)
        looked = time.monotonic()
        while not pipe.poll(POLL_SECONDS if listener.listening else LOOK_SECONDS):
            for message in listener.messages():
                pipe.send(message)
            if time.monotonic() - looked >= LOOK_SECONDS:
                looked = time.monotonic()
                _look(listener, pipe)
        listener.close()


def _look(listener: Listener, pipe: Connection) -> None:
    with contextlib.suppress(Exception):  # RtMidi has an exception class per API and version
        if listener.look():
            pipe.send(listener.port if listener.listening else None)
