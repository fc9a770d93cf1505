"""Work in a process of its own fails with the same line as work here."""

import pytest

from noizestream.analysis import jobs
from noizestream.errors import NoizestreamError
from tests import foreign_models


@pytest.mark.parametrize("workers", [0, 1])
def test_a_model_that_fails_is_named(tmp_path, workers):
    model = foreign_models.write(foreign_models.Raising(), tmp_path / "bad.ts")
    with pytest.raises(NoizestreamError, match=r"bad\.ts: its step fails"):
        list(jobs.run(model, [(jobs.render, ("Jazz", 1, 1.0, 1.0, False))] * 2, workers))
