"""Checkpoints on a disk that is full, and the time that they tell."""

from types import SimpleNamespace

import pytest
import torch

from noizestream.errors import NoizestreamError
from noizestream.training.loops import checkpoint
from noizestream.training.loops.budget import Budget
from noizestream.training.loops.checkpoint import Checkpoints
from tests.full import full_disk


def test_the_old_checkpoint_stays_and_the_line_says_how_to_go_on(tmp_path):
    checkpoint.save(tmp_path, {"weights": torch.ones(10)})
    with full_disk(), pytest.raises(NoizestreamError) as raised:
        checkpoint.save(tmp_path, {"weights": torch.zeros(100_000)})
    said = str(raised.value)
    assert (
        str(tmp_path / checkpoint.NAME) in said and f"resume {tmp_path}" in said and "File too large" in said and "\n" not in said
    )
    assert (checkpoint.load(tmp_path) or {})["weights"].tolist() == [1.0] * 10
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.NAME]


def test_it_tells_how_long_the_whole_has_taken_so_that_a_resumed_training_has_the_rest(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.resumed == {}
    checkpoints.clock = lambda: 312.5
    checkpoints.save(SimpleNamespace(state=dict), Budget(600.0), now=True)
    assert Checkpoints(tmp_path).resumed["wall"] == 312.5


def test_what_is_no_work_of_the_loop_does_not_count(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("noizestream.training.loops.budget.time.monotonic", lambda: now[0])
    budget = Budget(100.0, _since=0.0)
    now[0] = 30.0
    with budget.pause():
        now[0] = 50.0
    assert budget.elapsed() == 30.0 and budget.progress() == 0.3
