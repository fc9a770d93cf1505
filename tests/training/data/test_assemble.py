"""The prepared set on a disk that is full."""

import numpy as np
import pytest

from noizestream.errors import NoizestreamError
from noizestream.music.cache import FeatureCache
from noizestream.music.tracks import Library, Track
from noizestream.nn.spectral import SpectralFront
from noizestream.training.config import resolve
from noizestream.training.data.assemble import assemble
from tests.full import full_disk


def test_it_is_one_line_that_names_the_run_folder(tmp_path):
    track = Track(tmp_path / "a.wav", "Jazz")
    arrays = {
        "tempo": np.array([120.0, 1.0]),
        "pulse": np.array([0.5]),
        "width": np.array([0.0]),
        "beats": np.zeros(10_000, np.float32),
    }
    arrays |= {name: np.zeros((10_000, 4), np.float32) for name in ("bands", "sound", "chroma")}
    track.path.touch()
    entry = FeatureCache({}, tmp_path).put(track, arrays)
    folder = tmp_path / "prepared"
    folder.mkdir()
    library, config = Library("music", "folders", (track,)), resolve("small")
    with full_disk(), pytest.raises(NoizestreamError) as raised:
        assemble([(track, entry)], library, config, folder, [], SpectralFront(48000, 512, channels=2))
    assert str(raised.value).startswith(f"{folder}: cannot be written (") and "run" in str(raised.value).split(";")[-1]
