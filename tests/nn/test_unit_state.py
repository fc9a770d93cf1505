"""What is kept between blocks: every name is written and read again at its place, and so is every number."""

import pytest
import torch

from noizestream.nn.unit_state import (
    LayerRow,
    LayerState,
    Moment,
    MomentRow,
    layer_row,
    layers_of,
    moment_of,
    numbers_of,
    pack,
    table_of,
    unpack,
)
from rig.made_up import Performance, unsure


@pytest.fixture(scope="module")
def state() -> list[torch.Tensor]:
    """Of a performance that has gone on for a while."""
    performance = Performance(unsure())
    performance.play(30)
    return performance.state


def test_a_state_survives_being_unpacked_and_packed(state):
    again = pack(unpack(state))
    assert len(again) == len(state) and all(torch.equal(a, b) for a, b in zip(again, state, strict=True))


def test_every_tensor_of_a_state_has_the_place_of_its_name(state):
    numbered = unpack([torch.tensor(float(number)) for number in range(len(state))])
    assert [float(part) for part in (*numbered.cells, *numbered.ahead, *numbered[2:])] == list(range(len(state)))
    assert len(numbered.cells) == len(numbered.ahead) == 4, "of two layers"


def test_every_number_of_a_layer_has_the_place_of_its_name():
    numbers = [float(number) for number in range(len(LayerRow._fields))]
    assert list(layer_row(numbers)) == numbers
    layer = LayerState(layer_row(numbers)._replace(frame_rest=0.25, old_rest=0.5))
    for name, number in zip(LayerRow._fields[:-2], numbers, strict=False):
        assert getattr(layer, name) == number + {"frame": 0.25, "old": 0.5}.get(name, 0.0), name
    assert layer_row(layer.numbers()) == layer_row(numbers)._replace(frame_rest=0.25, old_rest=0.5)
    assert layer_row(LayerState().numbers()) == LayerRow()


def test_every_number_of_a_moment_has_the_place_of_its_name():
    numbers = torch.arange(len(MomentRow._fields), dtype=torch.float64)
    moment = moment_of(numbers)
    assert [getattr(moment, name) for name in MomentRow._fields] == numbers.tolist()
    assert torch.equal(numbers_of(moment), numbers) and MomentRow(*Moment().numbers()) == MomentRow()


def test_rows_of_a_state_survive_being_read_and_written(state):
    kept = unpack(state)
    assert torch.equal(table_of(layers_of(kept.layers)), kept.layers)
    assert torch.equal(numbers_of(moment_of(kept.moment)), kept.moment)


def test_positions_in_a_large_memory_are_exact_although_a_script_keeps_them_in_single_precision():
    layer = LayerState()
    layer.frame, layer.old = 654321.0 + 1 / 3, 432100.0 + 2 / 7
    again = layers_of(table_of([layer]).float())[0]
    assert again.frame == pytest.approx(layer.frame, abs=1e-6) and again.old == pytest.approx(layer.old, abs=1e-6)
    none = layers_of(table_of([LayerState()]))[0]
    assert none.frame == none.old == -1
