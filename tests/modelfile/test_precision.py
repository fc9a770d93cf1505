"""Float32 or int8: what is exported, and what plays where int8 cannot."""

import logging

import numpy as np
import pytest
import torch
from torch import Tensor

from noizestream.errors import NoizestreamError, UsageError
from noizestream.modelfile import archive, precision
from noizestream.modelfile.metadata import Metadata
from tests.foreign_models import METADATA, White, write


class Louder(White):
    """Stands for the float32 form: told apart by its level."""

    @torch.jit.export
    def step(self, genre: Tensor, controls: Tensor, noise: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        return 2 * (noise.view(2, 256) - 0.5) * genre[0], [state[0] + 1]


@pytest.fixture
def both(tmp_path):
    """A model file that offers int8 and float32."""
    metadata = Metadata(**METADATA, extra={"precision": "int8"})
    archive.save(torch.jit.script(White()), metadata, tmp_path / "both.ts", torch.jit.script(Louder()))
    return tmp_path / "both.ts"


def played(path, asked=None):
    """The precision that `load` chose, as its metadata and as its sound have it."""
    module, metadata = archive.load(path, asked)
    peak = np.abs(archive.first_block(module, metadata, "")).max()
    return metadata.extra["precision"], "float32" if peak > 0.6 else "int8"


def test_the_form_is_the_one_asked_for(both, tmp_path, monkeypatch, caplog):
    assert archive.precisions(archive.read_metadata(both)) == ["int8", "float32"]
    assert played(both) == ("int8", "int8")
    assert played(both, "float32") == ("float32", "float32")
    monkeypatch.setenv("NOIZESTREAM_PRECISION", "float32")
    assert played(both) == ("float32", "float32")
    assert played(both, "int8") == ("int8", "int8")
    monkeypatch.setenv("NOIZESTREAM_PRECISION", "int4")
    with pytest.raises(UsageError, match="NOIZESTREAM_PRECISION=int4"):
        archive.load(both)
    monkeypatch.delenv("NOIZESTREAM_PRECISION")
    only = write(White(), tmp_path / "only.ts")
    with pytest.raises(NoizestreamError, match="offers float32, not int8"):
        archive.load(only, "int8")
    assert not caplog.records, "each form has a golden block of its own"


def test_where_there_are_no_kernels_float32_plays_and_it_says_so(both, monkeypatch, caplog):
    for module in (archive, precision):
        monkeypatch.setattr(module, "int8_kernels", lambda: precision.NONE)
    with caplog.at_level(logging.WARNING):
        assert played(both) == ("float32", "float32")
    (record,) = caplog.records
    assert "no int8 kernels" in record.getMessage()
    assert precision.resolve("auto") == "float32"
    with pytest.raises(UsageError, match="precision int8"):
        precision.resolve("int8")


@pytest.mark.parametrize(
    ("current", "supported", "chosen"),
    [
        ("x86", ["qnnpack", "none", "onednn", "x86", "fbgemm"], "x86"),
        ("none", ["none", "qnnpack"], "qnnpack"),  # torch on macOS with ARM: it has kernels and chooses none
        ("none", ["none"], "none"),
    ],
)
def test_kernels(current, supported, chosen):
    assert precision.choose_kernels(current, supported) == chosen
