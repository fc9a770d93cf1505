"""Channels of a model on a device that has other ones."""

import numpy as np

from noizestream.engine.channels import map_channels


def test_channels():
    stereo = np.array([[1.0, 3.0], [2.0, 4.0]], np.float32)
    mono = stereo[:, :1]
    assert map_channels(stereo, 2) is stereo
    assert map_channels(mono, 4).tolist() == [[1, 1, 1, 1], [2, 2, 2, 2]]
    assert map_channels(stereo, 1).tolist() == [[2], [3]]
    assert map_channels(stereo, 4).tolist() == [[1, 3, 0, 0], [2, 4, 0, 0]]
    assert map_channels(np.repeat(stereo, 2, axis=1), 3).shape == (2, 3)
