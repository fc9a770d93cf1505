"""The sequence model: streaming equals training, the likelihood is the likelihood, the clock is the clock."""

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from noizestream.nn.predictor import CLOCK_FEATURES, PERIODS, Predictor, clock_features, negative_log_likelihood


@torch.no_grad()
def test_frame_by_frame_equals_the_whole_sequence():
    torch.manual_seed(0)
    net = Predictor(latent=8, genres=3, hidden=32).eval()
    torch.nn.init.normal_(net.head.weight, std=0.3)
    z, genre = torch.randn(1, 20, 8), torch.eye(3)[1].expand(1, 20, 3)
    clock = clock_features(torch.linspace(0, 3, 20), torch.ones(20))[None]
    whole, (h, c) = net.sequence(z, genre, clock, net.recurrent.initial_sequence_state(1))
    state = [torch.zeros(1, 32) for _ in range(4)]
    for t in range(20):
        part, state = net.frame(z[0, t], genre[0, t], clock[0, t], state)
        for a, b in zip(part, whole, strict=True):
            assert torch.allclose(a, b[0, t], atol=1e-5)
    assert torch.allclose(torch.cat(state[0::2]), h[:, 0], atol=1e-5)
    assert torch.allclose(torch.cat(state[1::2]), c[:, 0], atol=1e-5)


def test_the_loss_is_the_negative_log_likelihood_of_the_mixture():
    torch.manual_seed(1)
    logits, means, log_deviations, target = torch.randn(5, 4), torch.randn(5, 4, 6), torch.randn(5, 4, 6) * 0.3, torch.randn(5, 6)
    mixture = MixtureSameFamily(Categorical(logits=logits), Independent(Normal(means, log_deviations.exp()), 1))
    assert torch.allclose(negative_log_likelihood((logits, means, log_deviations), target), -mixture.log_prob(target), atol=1e-4)


def test_the_clock_repeats_with_its_longest_period_and_can_hide_the_slow_ones():
    beat = torch.tensor([0.3, 0.3 + PERIODS[-1]], dtype=torch.float64)
    shown = clock_features(beat, torch.ones(2))
    assert shown.shape == (2, CLOCK_FEATURES)
    assert torch.allclose(shown[0], shown[1], atol=1e-5)
    hidden = clock_features(beat, torch.zeros(2))
    fast = 4  # periods up to two beats
    assert torch.equal(hidden[:, :fast], shown[:, :fast])
    assert bool((hidden[:, fast:7] == 0).all()) and float(hidden[0, -1]) == 0


@pytest.mark.parametrize("period", PERIODS)
def test_every_period_of_the_clock_is_told_from_its_half(period):
    a, b = clock_features(torch.tensor([0.0, period / 2], dtype=torch.float64), torch.ones(2))
    assert not torch.allclose(a, b, atol=0.5)
