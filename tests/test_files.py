"""Files appear whole or not at all."""

import os

import numpy as np
import pytest
import torch

from noizestream.errors import NoizestreamError
from noizestream.files import not_a_file, reason, safe_name, whole, writing
from tests.full import full_disk


def test_a_file_takes_its_place_only_when_it_is_whole(tmp_path):
    path = tmp_path / "take.txt"
    with whole(path) as partial:
        partial.write_text("first")
        assert not path.exists()
    with pytest.raises(RuntimeError), whole(path) as partial:
        partial.write_text("sec")
        raise RuntimeError
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path], "and nothing half-written stays"


@pytest.mark.parametrize(("genre", "name"), [("Drum & Bass", "Drum---Bass"), ("Höch", "Höch"), ("../x", "x"), ("?", "genre")])
def test_a_genre_as_a_file_name(genre, name):
    assert safe_name(genre) == name


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_no_file_is_told_without_opening_it(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "link.wav").symlink_to("pipe.wav")
    (tmp_path / "file.wav").touch()
    assert [bool(not_a_file(tmp_path / name)) for name in ("pipe.wav", "link.wav", "file.wav")] == [True, True, False]
    assert "folder" in not_a_file(tmp_path) and "missing" in not_a_file(tmp_path / "none.wav")
    assert "device" in not_a_file("/dev/null")


def test_a_full_disk_is_one_line_whoever_writes(tmp_path):
    writers = {
        "text": lambda path: path.write_text("x" * 10_000),
        "numpy": lambda path: np.save(path.open("wb"), np.zeros(10_000)),
        "torch": lambda path: torch.save(torch.zeros(100_000), path),
    }
    for name, write in writers.items():
        path = tmp_path / name
        with pytest.raises(NoizestreamError) as raised, full_disk(), writing(path, "make room"), whole(path) as partial:
            write(partial)
        assert str(raised.value).startswith(f"{path}: cannot be written (") and str(raised.value).endswith("; make room")
        assert "None" not in str(raised.value) and "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_a_reason_is_the_systems_where_it_is_known():
    try:
        try:
            raise OSError(28, "No space left on device")
        except OSError:
            raise RuntimeError("unexpected pos 64 vs 0") from None
    except RuntimeError as error:
        assert reason(error) == "unexpected pos 64 vs 0", "what was said to be beside the point is not told"
    try:
        try:
            raise OSError(28, "No space left on device")
        except OSError:
            raise RuntimeError("unexpected pos 64 vs 0")  # noqa: B904
    except RuntimeError as error:
        assert reason(error) == "No space left on device"
    assert reason(KeyError()) == "KeyError"
