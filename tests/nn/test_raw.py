"""The baseline's one step: streaming equals training, temperature is the amount of noise, nothing is hidden."""

import pytest
import torch

from noizestream.nn.losses import mean_absolute_error, mean_bias_error, mean_squared_error
from noizestream.nn.raw import RawPlayer, RawPredictor, pack, unpack
from noizestream.nn.recurrent import at_rest

BLOCK, GENRES, HIDDEN = 16, 2, 8
GENRE = torch.tensor([0.0, 1.0])


def player() -> RawPlayer:
    torch.manual_seed(0)
    predictor = RawPredictor(BLOCK, GENRES, HIDDEN)
    predictor.scale.fill_(0.1)
    return RawPlayer(predictor, 48000, torch.tensor([[0.01], [0.02]]).expand(GENRES, BLOCK).clone()).eval()


@torch.no_grad()
def step(net: RawPlayer, temperature: float, noise: torch.Tensor, genre=GENRE, state=None):
    return net.step(genre, torch.tensor([temperature]), noise, net.initial_state() if state is None else state)


@torch.no_grad()
def test_block_by_block_equals_the_whole_sequence():
    predictor = player().predictor
    x = torch.randn(1, 10, BLOCK)
    whole, (h, c) = predictor.sequence(x, GENRE.expand(1, 10, -1), predictor.recurrent.initial_sequence_state(1))
    state = at_rest(2, HIDDEN)
    for t in range(10):
        part, state = predictor.frame(x[0, t], GENRE, state)
        assert torch.allclose(part, whole[0, t], atol=1e-5)
    assert torch.allclose(torch.cat([cell.h for cell in state]), h[:, 0], atol=1e-5)
    assert torch.allclose(torch.cat([cell.c for cell in state]), c[:, 0], atol=1e-5)


def test_temperature_scales_the_noise_of_the_genres_measured_deviation_and_zero_leaves_the_prediction():
    net = player()
    noise = torch.rand(BLOCK, generator=torch.Generator().manual_seed(1)).clamp(1e-6, 1 - 1e-6)
    predicted, _ = step(net, 0.0, noise)
    assert torch.equal(predicted, step(net, 0.0, 1 - noise)[0]), "at 0 the noise does not matter"
    gauss = torch.distributions.Normal(0.0, 1.0).icdf(noise)
    for temperature in (0.5, 1.0, 2.0):
        assert torch.allclose(step(net, temperature, noise)[0] - predicted, temperature * 0.02 * gauss[None], atol=1e-5)
    between = torch.tensor([0.5, 0.5])
    spread = step(net, 1.0, noise, between)[0] - step(net, 0.0, noise, between)[0]
    assert torch.allclose(spread, 0.015 * gauss[None], atol=1e-5)


def test_what_was_sounded_is_what_is_heard_next_and_the_state_is_never_written_to():
    net, noise = player(), torch.full((BLOCK,), 0.3)
    block, state = step(net, 1.0, noise)
    assert torch.equal(unpack(state).block, block[0])
    kept = [s.clone() for s in state]
    first, second = step(net, 1.0, noise, state=state)[0], step(net, 1.0, noise, state=state)[0]
    assert torch.equal(first, second)
    assert all(torch.equal(a, b) for a, b in zip(kept, state, strict=True))
    deaf = pack(unpack(state)._replace(block=torch.zeros(BLOCK)))
    assert not torch.equal(first, step(net, 1.0, noise, state=deaf)[0])


@torch.no_grad()
def test_priming_hears_every_block_up_to_the_last_sample():
    net = player()
    audio = 0.1 * torch.randn(2, 5 * BLOCK + 3, generator=torch.Generator().manual_seed(2))
    state = net.prime(audio, GENRE)
    heard = audio.mean(0)[3:].reshape(5, BLOCK)
    before = torch.cat([torch.zeros(1, BLOCK), heard[:-1]])[None] / net.predictor.scale
    _, (h, c) = net.predictor.sequence(before, GENRE.expand(1, 5, -1), net.predictor.recurrent.initial_sequence_state(1))
    named = unpack(state)
    assert torch.allclose(torch.cat([cell.h for cell in named.cells]), h[:, 0], atol=1e-5)
    assert torch.allclose(torch.cat([cell.c for cell in named.cells]), c[:, 0], atol=1e-5)
    assert torch.equal(named.block, heard[-1])
    assert len(state) == len(net.initial_state())


def test_every_noise_in_the_open_interval_gives_sound_in_range():
    net = player()
    net.deviation.fill_(0.5)
    for value in (0.5 / 2**23, 1 - 0.5 / 2**23):
        block, _ = step(net, 2.0, torch.full((BLOCK,), value))
        assert float(block.abs().max()) <= 1.0


def test_the_three_errors_by_hand():
    predicted, target = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([2.0, 0.0, 4.0])
    assert float(mean_squared_error(predicted, target)) == pytest.approx(5 / 3)
    assert float(mean_absolute_error(predicted, target)) == pytest.approx(1.0)
    assert float(mean_bias_error(predicted, target)) == pytest.approx(1 / 3), "positive: predicted too high"
