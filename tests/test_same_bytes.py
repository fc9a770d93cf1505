"""The bundled models make, of the same seed, the bytes they made before the code moved into its rooms: rendered and live.

Kernels round otherwise on other processors, so the file alone is stepped first, with none of our code around it: where that does
not give what it gave then, there is nothing to compare.
"""

import hashlib
from typing import NamedTuple

import numpy as np
import pytest
import torch

from noizestream.engine.generator import load
from noizestream.engine.safety import SafeStream
from noizestream.modelfile import archive
from noizestream.realtime.worker import Beginning, Worker
from rig import device

BLOCKS = 300


class Take(NamedTuple):
    """What was played then, and what the file alone gave on that machine."""

    model: str
    seed: int
    genre: int  # -1 the last
    temperature: float
    sha256: str
    alone: str


STUDIO = "07dea7ef6fd7943e2b7306598ee7671ee8b64da5df8f62ff09006e031679af97"
FMA = "da5668b3deb6ef7e61569c470b5590ab517131b2cd6131ee2ea7b0bc7530e6a0"

TAKES = [
    Take("studio", 0, 0, 1.0, "3ef3fef50d6d002cbe5376d6ba728b9dbcc9b3a437a9dfe2b01f19bcf1985b27", STUDIO),
    Take("studio", 7, -1, 2.0, "647e866ade8ca08d7b7c0d7a6798947a7a8b8bb0d57078f7bb32b7deb2ab9447", STUDIO),
    Take("fma", 0, 0, 1.0, "3e3ed80e42edf433172b0d65094499cf165d657c3fd4bf98f7437e519e49ecfa", FMA),
    Take("fma", 7, -1, 2.0, "07d6a78a9b12b16af44ae7e9c81529edcec537e4a5bf8fb3e66480fb09428289", FMA),
]


def sha256(samples: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(samples, np.float32).tobytes()).hexdigest()


@torch.inference_mode()
def alone(name: str) -> str:
    """The sound of the file as TorchScript steps it, of draws that are no generator's."""
    module, metadata = archive.load(archive.find_model(name))
    state, blocks = module.initial_state(), []
    genre = torch.full((len(metadata.genres),), 1 / len(metadata.genres))
    controls = torch.tensor([float(control["default"]) for control in metadata.controls])
    for block in range(50):
        draws = (torch.arange(metadata.noise_size) * 0.618034 + 0.1 * block + 0.05) % 1.0 * 0.98 + 0.01
        sound, state = module.step(genre, controls, draws, state)
        blocks.append(sound.numpy())
    return sha256(np.concatenate(blocks, axis=1))


@pytest.fixture(params=TAKES, ids=lambda take: f"{take.model}-{take.seed}")
def take(request: pytest.FixtureRequest) -> Take:
    if alone(request.param.model) != request.param.alone:
        pytest.skip("this processor, or this torch, rounds otherwise than the one on which the bytes were kept")
    return request.param


def weights_of(take: Take, genres: int) -> list[float]:
    return [float(number == take.genre % genres) for number in range(genres)]


@torch.inference_mode()
def test_rendered(take: Take):
    generator = load(archive.find_model(take.model), take.seed)
    generator.set_genre(weights_of(take, len(generator.metadata.genres)))
    generator.set_control("temperature", take.temperature)
    stream = SafeStream(generator)
    assert sha256(np.concatenate([stream.step() for _ in range(BLOCKS)], axis=1).T) == take.sha256


def test_live(take: Take):
    metadata = archive.read_metadata(archive.find_model(take.model))
    values = [take.temperature if control["name"] == "temperature" else control["default"] for control in metadata.controls]
    beginning = Beginning(take.seed, weights_of(take, len(metadata.genres)), values)
    with Worker(archive.find_model(take.model), target_frames=4096, beginning=beginning) as worker:
        assert sha256(device.take(worker.ring, BLOCKS * metadata.block_frames)) == take.sha256
