"""The worker that is being loaded while another plays: launched, awaited without waiting, given up; and which models cannot be."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from noizestream.control.state import LiveState
from noizestream.errors import NoizestreamError
from noizestream.realtime.worker import START_TIMEOUT_S, Worker
from noizestream.session.events import Event, ModelFailed

TRIES = 3
"""A worker that fails so often in a row at its start will not start at all."""

AGAIN_S = 1.0
"""Pause before the model that is to play is tried again: what the system lacks now it may have then."""


@dataclass
class ModelSlot:
    """A worker, the number of its model, and whether it plays (a dead one stays in its slot until it is replaced)."""

    worker: Worker
    model: int
    dead: bool = False

    @property
    def silent(self) -> bool:
        """Whether the callback plays nothing of it any more."""
        return self.worker.ring.silent


class Loading:
    """At most one worker at a time, made by `make(model, first_block)`; `tell` takes events, of models that fail.

    A model that fails is refused by `state` where it was asked for, and no more made ready unasked. The one that plays has TRIES,
    and the last failure is raised.
    """

    def __init__(self, state: LiveState, make: Callable[[int, int], Worker], tell: Callable[[Event], None]):
        self.state, self._make, self._tell = state, make, tell
        self.slot: ModelSlot | None = None
        self.to = 0  # the number of the model slot it will play in
        self._failures, self._began, self._again = 0, 0.0, 0.0
        self._broken: set[int] = set()

    def launch(self, model: int, to: int, first_block: int = 0) -> None:
        """Begin to load `model` for the model slot `to`, from `first_block` of its noise on; nothing where that has just failed."""
        if time.monotonic() < self._again:
            return
        self._began = time.monotonic()
        try:
            self.slot, self.to = ModelSlot(self._make(model, first_block), model), to
            self.slot.worker.launch()
        except NoizestreamError as error:  # its file has gone; or the system has no shared memory, or starts no process
            self.abandon()
            self._fail(model, error)

    def arrived(self) -> ModelSlot | None:
        """What is loaded, once it is; it stays here until `take`. One that takes START_TIMEOUT_S is given up."""
        if self.slot is None:
            return None
        try:
            if self.slot.worker.ready():
                return self.slot
            if time.monotonic() > self._began + START_TIMEOUT_S:
                raise NoizestreamError(f"{self.state.models[self.slot.model].name}: not ready after {START_TIMEOUT_S:g} s")
            return None
        except NoizestreamError as error:
            model = self.slot.model
            self.abandon()
            self._fail(model, error)
            return None

    def take(self) -> ModelSlot:
        """Hand over what has arrived."""
        slot, self.slot, self._failures = self.slot, None, 0
        assert slot is not None
        return slot

    def abandon(self) -> None:
        """Nobody waits for it any more."""
        if self.slot is not None:
            self.slot.worker.stop(timeout_s=0)
            self.slot.worker.close()
            self.slot = None

    def next_model(self) -> int | None:
        """The model to have ready beside the one that plays: the first other one that can be played."""
        others = (model for model in range(len(self.state.models)) if model != self.state.current)
        return next((model for model in others if model not in self._broken), None)

    def _fail(self, model: int, error: NoizestreamError) -> None:
        if model != self.state.current:
            asked = self.state.wanted == model
            if asked or model not in self._broken:
                self._tell(ModelFailed(str(error), self.state.metadata.name))
            self._broken.add(model)
            if asked:
                self.state.refuse(model)
            return
        self._failures += 1
        self._again = time.monotonic() + AGAIN_S
        if self._failures >= TRIES:
            raise error
