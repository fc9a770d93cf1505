"""Work in a process of its own fails with the same line as work here."""

import os

import pytest

from noizestream.analysis import jobs
from noizestream.errors import NoizestreamError
from noizestream.music import compiled
from tests import foreign_models


@pytest.mark.parametrize("workers", [0, 1])
def test_a_model_that_fails_is_named(tmp_path, workers):
    model = foreign_models.write(foreign_models.Raising(), tmp_path / "bad.ts")
    with pytest.raises(NoizestreamError, match=r"bad\.ts: its step fails"):
        list(jobs.run(model, [(jobs.render, ("Jazz", 1, 1.0, 1.0, False))] * 2, workers))


@pytest.mark.parametrize("damaged, said", [(True, "was damaged and has been made anew; start again"), (False, "a process died")])
def test_a_process_that_dies_is_put_down_to_the_compiled_functions_only_if_they_are_damaged(sine_model, monkeypatch, damaged, said):
    monkeypatch.setattr(compiled, "heal", lambda: damaged)
    with pytest.raises(NoizestreamError, match=said):
        list(jobs.run(sine_model, [(os._exit, (3,))], 1))
