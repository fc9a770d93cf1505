"""A model that cannot be loaded beside the one that plays."""

import errno
import os
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest

from noizestream.control.midi_map import SetValue
from noizestream.control.parameters import MODEL
from noizestream.control.state import LiveState
from noizestream.errors import NoizestreamError
from noizestream.modelfile import archive
from noizestream.realtime.worker import START_TIMEOUT_S, Worker
from noizestream.session.events import ModelFailed
from noizestream.session.loading import AGAIN_S, TRIES, Loading
from noizestream.system.spawn import no_room
from rig.waiting import wait_for
from tests import foreign_models as foreign


def test_it_is_refused_and_said_and_the_one_that_plays_goes_on(sine_model, tmp_path):
    paths = [sine_model, foreign.write(foreign.Raising(), tmp_path / "bad.ts")]
    state, said = LiveState([archive.read_metadata(path) for path in paths]), []
    loading = Loading(state, lambda model, first_block: Worker(paths[model]).open(), said.append)
    state.apply(SetValue(MODEL.name, 1))
    assert state.wanted == 1 and loading.next_model() == 1
    loading.launch(1, to=1)
    came = []
    wait_for(lambda: came.append(loading.arrived()) or loading.slot is None, "the end of a model that cannot be loaded")
    assert set(came) == {None}
    assert len(said) == 1 and "bad.ts" in said[0].reason and said[0].playing == "sine"
    assert state.wanted == state.current == 0 and state.refused == 1 and loading.next_model() is None


def test_a_file_that_has_been_deleted_since_is_refused(sine_model, tmp_path):
    gone = tmp_path / "gone.ts"
    shutil.copy(sine_model, gone)
    paths = [sine_model, gone]
    state, said = LiveState([archive.read_metadata(path) for path in paths]), []
    gone.unlink()
    loading = Loading(state, lambda model, first_block: Worker(paths[model]).open(), said.append)
    state.apply(SetValue(MODEL.name, 1))
    loading.launch(1, to=1)
    assert loading.slot is None and state.wanted == 0 and len(said) == 1 and "gone.ts" in said[0].reason


def test_one_that_never_gets_ready_is_given_up_so_that_others_can_be_asked_for(sine_model, monkeypatch):
    """As from a network drive that stands still."""
    now, said, ended = [100.0], [], []
    monkeypatch.setattr("noizestream.session.loading.time", SimpleNamespace(monotonic=lambda: now[0]))
    stuck = SimpleNamespace(
        launch=lambda: None, ready=lambda: False, stop=lambda timeout_s: ended.append(timeout_s), close=lambda: None
    )
    state = LiveState([archive.read_metadata(sine_model)] * 3)
    loading = Loading(state, lambda model, first_block: stuck, said.append)
    state.apply(SetValue(MODEL.name, 1))
    loading.launch(1, to=1)
    assert loading.arrived() is None and loading.slot is not None
    now[0] += START_TIMEOUT_S + 1
    assert loading.arrived() is None and loading.slot is None and ended and state.wanted == 0
    assert said == [ModelFailed("sine: not ready after 120 s", "sine")] and loading.next_model() == 2


@pytest.fixture
def crowded(sine_model):
    """`(state, loading, said)` of a session with two models on a system that gives no worker what it needs."""
    state, said = LiveState([replace(archive.read_metadata(sine_model), name=name) for name in ("one", "two")]), []

    def make(model: int, first_block: int) -> Worker:
        raise no_room("shared memory", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    return state, Loading(state, make, said.append), said


def test_a_spare_one_that_the_system_has_no_room_for_is_said_once_and_tried_again_when_it_is_asked_for(crowded):
    state, loading, said = crowded
    for _ in range(2):
        loading.launch(1, to=1)
    assert len(said) == 1 and said[0].reason.startswith("no room for shared memory (No space") and said[0].playing == "one"
    assert loading.slot is None and loading.next_model() is None and state.refused == 0, "nobody asked for it"
    state.apply(SetValue(MODEL.name, 1))
    loading.launch(1, to=1)
    assert len(said) == 2 and state.wanted == 0 and state.refused == 1


def test_the_one_that_plays_is_tried_again_after_a_pause_and_not_for_ever(crowded, monkeypatch):
    _, loading, _ = crowded
    now = [100.0]
    monkeypatch.setattr("noizestream.session.loading.time", SimpleNamespace(monotonic=lambda: now[0]))
    for _ in range(TRIES - 1):
        for _ in range(50):  # as often as a session looks
            loading.launch(0, to=0)
        now[0] += AGAIN_S
    with pytest.raises(NoizestreamError, match=r"no room for shared memory \(No space left on device\)"):
        loading.launch(0, to=0)


def test_a_worker_whose_process_cannot_be_started_leaves_no_memory_behind(sine_model, monkeypatch):
    def refuse(_: object) -> None:
        raise NoizestreamError("the worker process cannot be started (Resource temporarily unavailable)")

    monkeypatch.setattr("noizestream.realtime.worker_handle.WorkerHandle.open", refuse)
    made, said = [], []

    def make(model: int, first_block: int) -> Worker:
        made.append(Worker(sine_model).open())
        return made[-1]

    loading = Loading(LiveState([archive.read_metadata(sine_model)] * 2), make, said.append)
    loading.launch(1, to=1)
    assert loading.slot is None and not made[0].ring.is_open and len(said) == 1
