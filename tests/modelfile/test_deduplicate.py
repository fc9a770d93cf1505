"""What both archives hold is kept once, and comes back."""

import io
import json
import zipfile

import pytest
import torch

from noizestream.modelfile import deduplicate


class Twice(torch.nn.Module):
    def __init__(self, shared: torch.Tensor, own: torch.Tensor):
        super().__init__()
        self.register_buffer("shared", shared)
        self.register_buffer("own", own)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x @ self.shared) @ self.own


def saved(shared: torch.Tensor, own: torch.Tensor) -> io.BytesIO:
    buffer = io.BytesIO()
    module = torch.jit.freeze(torch.jit.script(Twice(shared, own).eval()))
    torch.jit.save(module, buffer, _extra_files={"note": "inside"})
    return buffer


@pytest.fixture
def archives(tmp_path):
    shared = torch.rand(64, 64)
    inner, outer = saved(shared, torch.rand(64)), saved(shared, torch.rand(64, 64))
    path = tmp_path / "outer.ts"
    path.write_bytes(outer.getvalue())
    return inner, outer, path


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_smaller_by_what_both_hold_and_complete_again(archives):
    inner, outer, path = archives
    small = deduplicate.without(inner, outer)
    assert len(small) < len(inner.getvalue()) - 64 * 64 * 4 + 1024
    back = torch.jit.load(deduplicate.complete(io.BytesIO(small), path))
    expected = torch.jit.load(io.BytesIO(inner.getvalue()))
    x = torch.rand(64)
    assert torch.equal(back(x), expected(x))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_whole_archive_is_left_as_it_is(archives):
    inner, _, path = archives
    assert deduplicate.complete(io.BytesIO(inner.getvalue()), path).getvalue() == inner.getvalue()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_is_not_there_is_a_key_error(archives):
    inner, _, path = archives
    with zipfile.ZipFile(inner, "a") as archive:
        archive.comment = json.dumps({"constants/99": "constants/99"}).encode()
    with pytest.raises(KeyError):
        deduplicate.complete(inner, path)
