"""A session: models that play live, on an audio device, with a MIDI port; from the command line, a page or a Python program alike.

    session = Session("mine.ts")
    session.subscribe(print)
    with session:                       # plays in a thread, until the end of the block
        session.set("genre", "Jazz")
        time.sleep(60)
    print(session.results)

Nothing is printed here. What happens comes as events (events.py), what holds as a SessionStatus (status.py).
"""

import contextlib
import queue
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from noizestream.control.midi_map import SetValue
from noizestream.control.state import LiveState
from noizestream.errors import NoizestreamError, UsageError, option
from noizestream.modelfile import archive
from noizestream.session.events import Ended, Event, PrimeMended
from noizestream.session.interrupts import Interrupts
from noizestream.session.recorder import check_take
from noizestream.session.request import SessionRequest
from noizestream.session.resources import Resources
from noizestream.session.status import SessionStatus, controls_of
from noizestream.session.values import control_values, midi_map, value_of

TICK_S = 0.05
STARTING_TICK_S = 0.005
START_TIMEOUT_S = 90.0
STATUS_HZ = 5
SWITCH_S = 0.001
"""A busy thread may keep MIDI waiting for so long at a time, not for Python's 5 ms."""

What = TypeVar("What")


class Session:
    """Plays models live, once: `with Session("mine.ts") as session:` in a thread, `Session("mine.ts").play(60)` until it ends.

    It takes the name of a model or its file (None: the bundled one), or a `SessionRequest` for all else. UsageError or
    NoizestreamError for what cannot be played; nothing is opened before it plays. `results`, the statistics of `play --stats`, is
    complete once it has ended.
    """

    def __init__(self, request: SessionRequest | str | Path | None = None):
        if not isinstance(request, SessionRequest):
            request = SessionRequest(() if request is None else (request,))
        paths = [archive.find_model(model) for model in request.models or (None,)]
        models = [archive.read_metadata(path) for path in paths]
        self._state = LiveState(models, models[0].genre_weights(request.genre), control_values(models[0], request.controls))
        self._midi_map = midi_map(self._state, request)
        if request.record is not None:
            check_take(Path(request.record))
        self.request = replace(request, models=paths)
        self.results: dict[str, Any] = {}
        self._status = SessionStatus(**controls_of(self._state))
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._listeners: list[Callable[[Event], None]] = []
        self._watchers: list[Callable[[SessionStatus], None]] = []
        self._interrupts = Interrupts()
        self._begun = False
        self._resources: Resources | None = None
        self._open = contextlib.ExitStack()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._play_on, name="session", daemon=True)

    # --- what one asks of it ----------------------------------------------------------------------------------------------------

    def play(self, seconds: float | None = None, interrupts: Interrupts | None = None) -> bool:
        """Play for `seconds` (None: until `stop`) and return whether it was ended before.

        `interrupts` say which signals end it so; without them KeyboardInterrupt is raised, after the fade. NoAudioDevice where
        there is none at the start, NoizestreamError where the music cannot go on, UsageError for a second time.
        """
        if seconds is not None and not seconds > 0:
            raise UsageError(f"{option('seconds')}: {seconds:g} is too short, give more than 0")
        self._begin(interrupts)
        ended_before = True
        try:
            self._start()
            ended_before = self._watch(seconds)
        except KeyboardInterrupt as error:
            if interrupts is None:
                self._error = error
        except BaseException as error:
            self._error = error
        finally:
            self._end()
        if self._error is not None:
            raise self._error
        return ended_before

    def __enter__(self) -> "Session":
        """Play on in a thread of its own; returns once it sounds. Raises what `play` raises at the start."""
        self._begin()
        try:
            self._start()
        except BaseException as error:
            self._error = error
            self._end()
            raise
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Fade out and close all. Raises why the music could not go on, if it could not, unless the block itself raises."""
        self.stop()
        self._thread.join()
        if kind is None and self._error is not None:
            raise self._error

    def stop(self) -> None:
        """End it with a fade, from any thread, also from a subscriber; this does not wait until it has ended."""
        self._interrupts.end()

    def set(self, name: str, value: float | str) -> None:
        """Set a control, from any thread: `genre`, `temperature`, `volume`, `model` or whatever the model declares.

        `value` is in the control's unit, or the text that the command line takes: a genre or a mix of them, a chord, a model's
        name. UsageError for a control that is not there, or a value out of its range.
        """
        if name == "genre":
            self._state.mix(self._state.models[self._state.wanted].genre_weights(str(value)))
        else:
            self._state.apply(SetValue(name, value_of(self._state, name, value)))

    @property
    def status(self) -> SessionStatus:
        """What holds, from any thread: the controls as of now, all else as of the last fifth of a second."""
        return replace(self._status, **controls_of(self._state))

    def subscribe(self, listener: Callable[[Event], None]) -> None:
        """Hand every event from now on to `listener`, one at a time, from the thread that plays: it must not wait.

        At the start that is the thread that starts it. A listener that raises is called no more; the music goes on, and the error
        is raised at the end.
        """
        self._listeners.append(listener)

    def watch(self, listener: Callable[[SessionStatus], None]) -> None:
        """Hand the status to `listener` five times a second while it plays; of this the same holds as of `subscribe`."""
        self._watchers.append(listener)

    @property
    def sounded(self) -> bool:
        """Whether there was anything to count: an error before the first sound leaves nothing."""
        return bool(self.results) and self.results["blocks"] > 0

    # --- from its start to its end ----------------------------------------------------------------------------------------------

    def _begin(self, interrupts: Interrupts | None = None) -> None:
        if self._begun:
            raise UsageError("a session plays once, make another")
        self._begun, self._interrupts = True, interrupts or self._interrupts

    def _start(self) -> None:
        """Until the first sound, or `stop`. What is wrong here ends it with an error; later it would not."""
        prime_audio = self._prime_audio()
        self._open.callback(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(SWITCH_S)
        self._resources = resources = Resources(self.request, self._state, self._midi_map, self._events.put, prime_audio)
        self._open.enter_context(resources)
        end = time.monotonic() + START_TIMEOUT_S
        while not resources.start():
            self._deliver()
            if time.monotonic() > end:
                raise NoizestreamError(f"the music does not start within {START_TIMEOUT_S:g} s; is the machine overloaded?")
            if self._interrupts.wait(STARTING_TICK_S):
                break
        self._status = resources.status()
        self._interrupts.gently()

    def _prime_audio(self) -> np.ndarray | None:
        if self.request.prime is None:
            return None
        from noizestream.music.prime import read_prime

        rate = self._state.models[0].sample_rate
        audio = read_prime(self.request.prime, rate, lambda line: self._events.put(PrimeMended(line)))
        self._deliver()
        return audio

    def _watch(self, seconds: float | None) -> bool:
        """Look after everything for `seconds` or until an interrupt; return whether it was one."""
        assert self._resources is not None
        end = None if seconds is None else time.monotonic() + seconds
        shown = 0.0
        while end is None or time.monotonic() < end:
            if self._interrupts.wait(TICK_S if end is None else min(TICK_S, max(end - time.monotonic(), 0.0))):
                return True
            self._resources.tick()
            self._deliver()
            if time.monotonic() - shown >= 1 / STATUS_HZ:
                shown = time.monotonic()
                self._status = self._resources.status()
                self._hand(self._watchers, self._status)
        return False

    def _play_on(self) -> None:
        """The thread of a session that is used with `with`."""
        try:
            self._watch(None)
        except BaseException as error:
            self._error = error
        finally:
            self._end()

    def _end(self) -> None:
        """Fade out, close all, and tell so. What fails on the way is left in `_error`, unless there is an error already."""
        self._interrupts.gently()
        try:
            self._open.close()
        except Exception as error:
            self._error = self._error or error
        self.results = self._resources.results if self._resources is not None else {}
        self._status = replace(self._status, playing=False, recording=False, loading=None, peak=0.0, ring_ms=0.0, load=0.0)
        self._events.put(Ended(self.results, self._error))
        self._deliver()

    # --- what it says -----------------------------------------------------------------------------------------------------------

    def _deliver(self) -> None:
        while not self._events.empty():
            self._hand(self._listeners, self._events.get())

    def _hand(self, listeners: list[Callable[[What], None]], what: What) -> None:
        for listener in list(listeners):
            try:
                listener(what)
            except Exception as error:
                listeners.remove(listener)
                self._error = self._error or error
