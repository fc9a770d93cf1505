"""A model that cannot be loaded beside the one that plays."""

from noizestream import artifact
from noizestream.control.live import LiveState
from noizestream.control.midi_map import SetValue
from noizestream.engine.loading import Loading
from noizestream.engine.worker import Worker
from noizestream.parameters import MODEL
from rig.waiting import wait_for
from tests import foreign_models as foreign


def test_it_is_refused_and_said_and_the_one_that_plays_goes_on(sine_model, tmp_path):
    paths = [sine_model, foreign.write(foreign.Raising(), tmp_path / "bad.ts")]
    state, said = LiveState([artifact.read_metadata(path) for path in paths]), []
    loading = Loading(state, lambda model, first_block: Worker(paths[model]), said.append)
    state.apply(SetValue(MODEL.name, 1))
    assert state.wanted == 1 and loading.next_model() == 1
    loading.launch(1, to=1)
    came = []
    wait_for(lambda: came.append(loading.arrived()) or loading.deck is None, "the end of a model that cannot be loaded")
    assert set(came) == {None}
    assert len(said) == 1 and "bad.ts" in said[0] and said[0].endswith("sine plays on")
    assert state.wanted == state.current == 0 and state.refused == 1 and loading.next_model() is None
