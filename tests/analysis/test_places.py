"""What a model says of where it plays in its memory, counted."""

import math

import numpy as np
import pytest
import torch

from noizestream.analysis import jobs
from noizestream.analysis.places import Places, together
from noizestream.errors import NoizestreamError
from tests import foreign_models
from tests.analysis import optional_model


class Told:
    """Plays what is in its state."""

    def places(self, state: list) -> torch.Tensor:
        return state[0]


def figures(*layers: list[int], blocks_per_slot: int = 2) -> dict:
    places = Places(Told(), "told", 0.05)
    for numbers in np.repeat(np.array(layers).T, blocks_per_slot, axis=0):
        places.ask([torch.from_numpy(numbers)])
    return places.figures()


def test_what_goes_on_and_what_jumps():
    found = figures([5, 6, 7, 8, 2, 3, 9, 0], [-1, -1, 4, 5, -1, 6, 7, 8])
    assert found["slots"] == [7, 4] and found["went_on"] == [4, 3], "after a rest nothing goes on, and the first is not counted"
    np.testing.assert_allclose(found["longest_s"], [0.4, 0.3])


def test_a_layer_that_rests_has_no_share_and_no_run():
    found = figures([-1, -1, -1], [1, 2, 3])
    assert found == {"slots": [0, 2], "went_on": [0, 2], "longest_s": [0, pytest.approx(0.3)]}
    both = together([found, figures([-1, 7, 8], [1, 5, 3])])
    assert both["went_on"] == 3 / 5 and both["longest_s"] == pytest.approx(0.3)
    assert both["layers"][0] == {"went_on": 1, "longest_s": pytest.approx(0.2)}
    assert math.isnan(together([figures([-1, -1])])["went_on"]) and together([]) is None


@pytest.mark.parametrize("workers", [0, 1])
def test_places_that_are_none_are_named(tmp_path, workers):
    model = foreign_models.write(optional_model.Lost(), tmp_path / "lost.ts", optional_model.METADATA)
    with pytest.raises(NoizestreamError, match=r"its places returned float32 \[3\], not int64 \[layers\]"):
        list(jobs.run(model, [(jobs.render, ("A", 1, 1.0, 1.0, False))], workers))
