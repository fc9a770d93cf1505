"""Files appear whole or not at all."""

import pytest

from noizestream.files import whole


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
