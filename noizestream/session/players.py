"""The workers of a performance: one plays, another may stand ready with the next model, and one that dies is replaced.

Two decks, as of a DJ: the callback plays both, each faded by itself, so a change of model is a crossfade of two rings that two
processes fill. What takes long, loading and warming a model, happens in a process that nobody hears yet. `tick` never waits.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from noizestream.control.state import LiveState
from noizestream.errors import NoizestreamError
from noizestream.realtime.output_bus import MODEL_SLOTS, OutputBus
from noizestream.realtime.ring import Ring
from noizestream.realtime.stats import Totals
from noizestream.realtime.worker import Beginning, Worker
from noizestream.session.loading import Loading, ModelSlot

FADE_S = 0.01
"""Length of the fades at start, stop and underrun."""
CROSSFADE_S = 0.2
GAIN_S = 0.005
"""A volume change of the whole range takes this long, or one period where that is shorter: no zipper noise."""
LEAST_GAIN_FRAMES = 64
LARGEST_PERIOD = 8192
"""Of JACK: what a device that plays already may ask for at once from now on."""


class Players:
    """Owns the workers of the models in `paths`, and keeps `state.current` playing.

    `put(deck, ring)` tells the device which ring to play on which deck; `say` takes lines for the user. `kept_s` of sound is kept
    ready; `exact` allows as little as can be played at all, down to one block. `heard` [channels, n] is what the first model goes
    on from at the start; whatever begins later (after a panic, another model, a worker in place of a dead one) begins without it.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        state: LiveState,
        kept_s: float,
        seed: int,
        put: Callable[[int, Ring | None], None],
        say: Callable[[str], None],
        exact: bool = False,
        heard: np.ndarray | None = None,
    ):
        self._heard = heard
        self.paths, self.state, self.kept_s, self.seed, self.exact = list(paths), state, kept_s, seed, exact
        self._put, self._say = put, say
        self.rate = self.channels = self.period = self._latency = self._room = 0
        self.restarts = self.switches = 0
        self._slots: list[ModelSlot | None] = [None] * MODEL_SLOTS
        self._playing = 0
        self._loading = Loading(state, self._new, say)
        self._gone = Totals()
        self._bus: OutputBus | None = None

    # --- what plays -------------------------------------------------------------------------------------------------------------

    @property
    def worker(self) -> Worker:
        """The worker that plays."""
        deck = self._slots[self._playing]
        if deck is None:
            raise RuntimeError("nothing is loaded")
        return deck.worker

    @property
    def loading(self) -> str | None:
        """Name of the model that was asked for and is being loaded."""
        asked = self.state.wanted
        return self.state.models[asked].name if asked != self.state.current else None

    def rings(self) -> dict[int, Ring]:
        """The ring of every deck that has one."""
        return {number: deck.worker.ring for number, deck in enumerate(self._slots) if deck is not None}

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
        deck = self._slots[self._playing]
        if deck is not None:
            return True
        if self._loading.deck is None:
            self._loading.launch(self.state.current, self._playing)
        if self._loading.deck is None:
            return False
        try:
            if not self._loading.deck.worker.ready():
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
        for deck in self._slots:
            if deck is not None:
                self._fit(deck.worker)

    def play(self) -> None:
        """Let it sound, with a fade."""
        self._heard = None
        self.state.connect(self.worker, self.set_gains)
        self.worker.ring.play(round(FADE_S * self.rate))

    def stop(self) -> None:
        """Fade out; `silent` says when it has."""
        for ring in self.rings().values():
            ring.leave(round(FADE_S * self.rate))

    @property
    def silent(self) -> bool:
        """Whether nothing sounds any more."""
        return all(deck.silent for deck in self._slots if deck is not None)

    def close(self) -> None:
        """End all workers and free their rings; `totals` goes on answering."""
        for number in range(MODEL_SLOTS):
            self._drop(number)
        self._loading.abandon()

    def set_gains(self, attenuation: float, boost: float) -> None:
        """Linear: at most 1, in the callback; at least 1, in the worker before its limiter."""
        if self._bus is not None:
            self._bus.main.volume_gain = attenuation
        self.worker.ring.main.boost_gain = boost

    # --- while it plays ---------------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Replace a worker that died, change the model when another is wanted. NoizestreamError when the music cannot go on."""
        self._look_after()
        self._receive()
        playing, other = self._slots[self._playing], self._slots[1 - self._playing]
        if playing is None or self._loading.deck is not None:
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
        for number, deck in enumerate(self._slots):
            if deck is None or deck.dead:
                continue
            try:
                if (said := deck.worker.check()) and number == self._playing:
                    self.restarts += 1
                    self._say(said)
            except NoizestreamError as error:
                deck.dead = True
                if number == self._playing:
                    self.restarts += 1
                    self._say(f"{error}; it is started again")
                    if self._loading.to != number and self.state.wanted == self.state.current:
                        self._loading.abandon()  # nobody waits for the spare one
        spare = self._slots[1 - self._playing]
        if spare is not None and spare.dead and spare.silent:
            self._drop(1 - self._playing)

    def _receive(self) -> None:
        """Take over the worker that was launched, once it is ready."""
        deck, to = self._loading.arrived(), self._loading.to
        before = self._slots[to]
        if deck is None or (before is not None and not before.silent):  # what the dead one left is still being played
            return
        self._slots[to] = self._loading.take()
        self._fit(deck.worker)
        self._put(to, deck.worker.ring)
        if to == self._playing:
            self.play()
        self._retire(before)

    def _cross(self) -> None:
        """Fade from the deck that plays to the other."""
        before, after = self._slots[self._playing], self._slots[1 - self._playing]
        assert before is not None and after is not None
        frames = round(CROSSFADE_S * self.rate)
        self._playing = 1 - self._playing
        self.switches += 1
        self.state.switch(after.model, after.worker)
        after.worker.ring.play(frames)
        before.worker.ring.leave(frames)

    def _new(self, model: int, first_block: int) -> Worker:
        weights, values = self.state.weights_of(model), self.state.values_of(model)
        heard = self._heard if model == self.state.current else None
        beginning = Beginning(self.seed, weights, values, first_block, heard)
        worker = Worker(self.paths[model], self.rate, self.channels, self._room, beginning)
        self._fit(worker)
        return worker

    def _drop(self, number: int) -> None:
        deck, self._slots[number] = self._slots[number], None
        if deck is not None:
            self._put(number, None)
            self._retire(deck)

    def _retire(self, deck: ModelSlot | None) -> None:
        if deck is not None:
            deck.worker.stop()
            self._gone.add(deck.worker.ring)
            deck.worker.close()

    def _fit(self, worker: Worker) -> None:
        worker.fit(round(self.kept_s * self.rate), self.period, round(FADE_S * self.rate), self.exact, self._latency)
