"""What is played is what was trained: the inference form of a player steps, encodes, scores and reconstructs as the trained one."""

import pytest
import torch

from noizestream.nn.inference import inference_form
from noizestream.nn.spectral import SpectralFront
from rig.made_up import player as made_up


@pytest.mark.parametrize("channels", [1, 2])
@torch.inference_mode()
def test_the_same_steps_and_the_same_score(channels):
    player = made_up(SpectralFront(16000, 128, channels), genres=3)
    played = inference_form(player)
    genre = torch.tensor([0.2, 0.3, 0.5])
    controls = torch.tensor([control["default"] for control in player.controls])
    state, played_state = player.initial_state(), played.initial_state()
    blocks = []
    for block in range(40):
        noise = torch.rand(player.noise_size, generator=torch.Generator().manual_seed(block)).clamp(1e-6, 1 - 1e-6)
        expected, state = player.step(genre, controls, noise, state)
        got, played_state = played.step(genre, controls, noise, played_state)
        assert torch.equal(player.places(state), played.places(played_state))
        assert torch.allclose(got, expected, atol=1e-3)
        blocks.append(expected)
    audio = torch.cat(blocks, 1)
    assert audio.abs().max() > 0.01
    for a, b in zip(player.score(audio, genre), played.score(audio, genre), strict=True):
        assert torch.allclose(a, b, rtol=1e-3, atol=1e-3)
    assert torch.allclose(player.reconstruct(audio), played.reconstruct(audio), atol=1e-3)


def test_the_trained_player_is_left_as_it_was():
    player = made_up(SpectralFront(16000, 128))
    before = {name: tensor.clone() for name, tensor in player.state_dict().items()}
    inference_form(player)
    after = player.state_dict()
    assert list(before) == list(after) and all(torch.equal(before[name], after[name]) for name in before)
    assert all(parameter.requires_grad for parameter in player.parameters())
