"""Checkpoints on a disk that is full."""

import pytest
import torch

from noizestream.errors import NoizestreamError
from noizestream.training import checkpoint
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
