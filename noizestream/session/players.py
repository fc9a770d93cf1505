"""The workers of a session: one plays, another may stand ready with the next model, and one that dies is replaced.

Two model slots, as a DJ has two decks: the callback plays both, each faded by itself, so a change of model is a crossfade of two
rings that two processes fill. What takes long, loading and warming a model, happens in a process that nobody hears yet. `tick`
never waits.
"""

from collections.abc import Callable, Mapping

import numpy as np

from noizestream.control.levels import levels
from noizestream.control.state import LiveState
from noizestream.engine.fades import CROSSFADE_S, GAIN_S, LEAST_GAIN_FRAMES, START_STOP_S
from noizestream.errors import NoizestreamError
from noizestream.realtime.output_bus import MODEL_SLOTS, OutputBus
from noizestream.realtime.ring import Ring
from noizestream.realtime.stats import Totals
from noizestream.realtime.worker import Beginning, Worker
from noizestream.session.events import Event, ModelChanged, WorkerReplaced
from noizestream.session.loading import Loading, ModelSlot
from noizestream.session.request import SessionRequest

LARGEST_PERIOD = 8192
"""Of JACK: what a device that plays already may ask for at once from now on."""


class Players:
    """Owns the workers of the models of `request` (`models` are their files), and keeps `state.current` playing.

    `put(slot, ring)` tells the device which ring to play in which model slot; `tell` takes events. `prime_audio` [channels, n] is
    what the first model goes on from at the start; whatever begins later (after a panic, another model, a worker in place of a dead
    one) begins without it.
    """

    def __init__(
        self,
        request: SessionRequest,
        state: LiveState,
        put: Callable[[int, Ring | None], None],
        tell: Callable[[Event], None],
        prime_audio: np.ndarray | None = None,
    ):
        self.request, self.state, self.kept_s, self._prime_audio = request, state, request.kept_s, prime_audio
        self._put, self._tell = put, tell
        self.rate = self.channels = self.period = self._latency = self._room = 0
        self.restarts = self.switches = 0
        self._slots: list[ModelSlot | None] = [None] * MODEL_SLOTS
        self._playing = 0
        self._loading = Loading(state, self._new, tell)
        self._gone = Totals()
        self._bus: OutputBus | None = None

    # --- what plays -------------------------------------------------------------------------------------------------------------

    @property
    def worker(self) -> Worker:
        """The worker that plays."""
        slot = self._slots[self._playing]
        if slot is None:
            raise RuntimeError("nothing is loaded")
        return slot.worker

    @property
    def loading(self) -> str | None:
        """Name of the model that was asked for and is being loaded."""
        asked = self.state.wanted
        return self.state.models[asked].name if asked != self.state.current else None

    def rings(self) -> dict[int, Ring]:
        """The ring of every model slot that has one."""
        return {number: slot.worker.ring for number, slot in enumerate(self._slots) if slot is not None}

    @property
    def underruns(self) -> int:
        """Of all workers so far."""
        return self._gone.underruns + sum(ring.callback.underruns for ring in self.rings().values())

    def totals(self) -> Totals:
        """What all workers counted so far, the replaced ones too."""
        totals = self._gone.copy()
        for ring in self.rings().values():
            totals.add(ring)
        return totals

    # --- start, stop, another device --------------------------------------------------------------------------------------------

    def shape(self, bus: OutputBus, rate: int, channels: int, room_s: float) -> None:
        """Make audio at `rate` Hz with `channels` from now on; no device plays now. Workers of another shape end.

        `room_s` is what the ring must have room for where `kept_s` is less: the device's periods.
        """
        self._bus = bus
        if (rate, channels) != (self.rate, self.channels):
            for number in range(MODEL_SLOTS):
                self._drop(number)
            self._loading.abandon()
        self.rate, self.channels, self._room = rate, channels, max(round(max(self.kept_s, room_s) * rate), 2 * LARGEST_PERIOD)
        bus.main.channels = channels
        for ring in self.rings().values():  # nobody plays them: the next device fades them in from silence
            ring.restart()

    def ready(self) -> bool:
        """After `shape`: whether the model that is to play is loaded; launches it where it is not. NoizestreamError if it fails."""
        slot = self._slots[self._playing]
        if slot is not None:
            return True
        if self._loading.slot is None:
            self._loading.launch(self.state.current, self._playing)
        try:
            if self._loading.slot is None or not self._loading.slot.worker.ready():
                return False
        except NoizestreamError:
            self._loading.abandon()
            raise
        self._slots[self._playing] = self._loading.take()
        return True

    def settle(self, period: int, latency: int) -> None:
        """Fit the rings to a device that asks for `period` frames at once and keeps `latency` frames itself."""
        self.period, self._latency = period, latency
        if self._bus is not None:
            self._bus.main.gain_frames = max(min(round(GAIN_S * self.rate), period), LEAST_GAIN_FRAMES)
        for slot in self._slots:
            if slot is not None:
                self._fit(slot.worker)

    def play(self) -> None:
        """Let it sound, with a fade."""
        self._prime_audio = None
        self.state.connect(self.worker, self.set_output)
        self.worker.ring.play(round(START_STOP_S * self.rate))

    def stop(self) -> None:
        """Fade out; `silent` says when it has."""
        for ring in self.rings().values():
            ring.leave(round(START_STOP_S * self.rate))

    @property
    def silent(self) -> bool:
        """Whether nothing sounds any more."""
        return all(slot.silent for slot in self._slots if slot is not None)

    def close(self) -> None:
        """End all workers and free their rings; `totals` goes on answering."""
        for number in range(MODEL_SLOTS):
            self._drop(number)
        self._loading.abandon()

    def set_output(self, values: Mapping[str, float]) -> None:
        """Take the `values`, by name, of all that acts on the output: for the callback, and for the worker before its limiter."""
        attenuation, boost, balance = levels(values)
        if self._bus is not None:
            self._bus.main.volume_gain = attenuation
            self._bus.main.balance = balance
        self.worker.ring.main.boost_gain = boost

    # --- while it plays ---------------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Replace a worker that died, change the model when another is wanted. NoizestreamError when the music cannot go on."""
        self._look_after()
        self._receive()
        playing, other = self._slots[self._playing], self._slots[1 - self._playing]
        if playing is None or self._loading.slot is not None:
            return
        wanted = self.state.wanted
        if wanted != self.state.current:
            if other is None or other.model != wanted:
                if other is None or other.silent:
                    self._drop(1 - self._playing)
                    self._loading.launch(wanted, 1 - self._playing)
            elif other.silent:
                self._cross()
        elif playing.dead:
            self._loading.launch(playing.model, self._playing, playing.worker.next_block)
        elif other is None and (spare := self._loading.next_model()) is not None:
            self._loading.launch(spare, 1 - self._playing)

    def _look_after(self) -> None:
        for number, slot in enumerate(self._slots):
            if slot is None or slot.dead:
                continue
            try:
                if (said := slot.worker.check()) and number == self._playing:
                    self.restarts += 1
                    self._tell(WorkerReplaced(said, at_once=True))
            except NoizestreamError as error:
                slot.dead = True
                if number == self._playing:
                    self.restarts += 1
                    self._tell(WorkerReplaced(str(error), at_once=False))
                    if self._loading.to != number and self.state.wanted == self.state.current:
                        self._loading.abandon()  # nobody waits for the spare one
        spare = self._slots[1 - self._playing]
        if spare is not None and spare.dead and spare.silent:
            self._drop(1 - self._playing)

    def _receive(self) -> None:
        """Take over the worker that was launched, once it is ready."""
        slot, to = self._loading.arrived(), self._loading.to
        before = self._slots[to]
        if slot is None or (before is not None and not before.silent):  # what the dead one left is still being played
            return
        self._slots[to] = self._loading.take()
        self._fit(slot.worker)
        self._put(to, slot.worker.ring)
        if to == self._playing:
            self.play()
        self._retire(before)

    def _cross(self) -> None:
        """Fade from the model slot that plays to the other."""
        before, after = self._slots[self._playing], self._slots[1 - self._playing]
        assert before is not None and after is not None
        frames = round(CROSSFADE_S * self.rate)
        self._playing = 1 - self._playing
        self.switches += 1
        self.state.switch(after.model, after.worker)
        self._tell(ModelChanged(self.state.metadata.name))
        after.worker.ring.play(frames)
        before.worker.ring.leave(frames)

    def _new(self, model: int, first_block: int) -> Worker:
        weights, values = self.state.weights_of(model), self.state.values_of(model)
        prime_audio = self._prime_audio if model == self.state.current else None
        beginning = Beginning(self.request.seed, weights, values, first_block, prime_audio)
        worker = Worker(self.request.models[model], self.rate, self.channels, self._room, beginning).open()
        self._fit(worker)
        return worker

    def _drop(self, number: int) -> None:
        slot, self._slots[number] = self._slots[number], None
        if slot is not None:
            self._put(number, None)
            self._retire(slot)

    def _retire(self, slot: ModelSlot | None) -> None:
        if slot is not None:
            slot.worker.stop()
            self._gone.add(slot.worker.ring)
            slot.worker.close()

    def _fit(self, worker: Worker) -> None:
        worker.fit(round(self.kept_s * self.rate), self.period, round(START_STOP_S * self.rate), self.request.exact, self._latency)
