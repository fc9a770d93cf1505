"""The sequence model: streaming equals training, the likelihood is the likelihood, and what is drawn follows it."""

import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from noizestream.nn.clock import Clock
from noizestream.nn.predictor import Predictor, negative_log_likelihood


def net(latent: int = 8) -> Predictor:
    torch.manual_seed(0)
    predictor = Predictor(latent, genres=3, notes=5, hidden=32).eval()
    for head in predictor.heads:
        torch.nn.init.normal_(head.weight, std=0.3)
    return predictor


@torch.no_grad()
def test_frame_by_frame_equals_the_whole_sequence():
    predictor = net()
    z, target, genre = torch.randn(1, 20, 8), torch.randn(1, 20, 8), torch.eye(3)[1].expand(1, 20, 3)
    clock = Clock()(torch.linspace(0, 3, 20, dtype=torch.float64), torch.ones(20), torch.ones(20))[None]
    start, notes = predictor.recurrent.initial_sequence_state(1), torch.rand(1, 20, 5)
    whole, (h, c) = predictor.sequence(z, genre, clock, notes, target, start)
    state = [torch.zeros(1, 32) for _ in range(4)]
    for t in range(20):
        hidden, state = predictor.hidden_frame(z[:, t], genre[:, t], clock[:, t], notes[:, t], state, genre[:, t])
        for a, b in zip(predictor.mixture(hidden, z[:, t], target[:, t]), whole, strict=True):
            assert torch.allclose(a, b[:, t], atol=1e-5)
    assert torch.allclose(torch.cat(state[0::2]), h[:, 0], atol=1e-5)
    assert torch.allclose(torch.cat(state[1::2]), c[:, 0], atol=1e-5)


def test_the_loss_is_the_negative_log_likelihood_of_the_mixtures():
    torch.manual_seed(1)
    logits, means, log_deviations, target = (
        torch.randn(5, 2, 4),
        torch.randn(5, 4, 6),
        torch.randn(5, 4, 6) * 0.3,
        torch.randn(5, 6),
    )
    expected = torch.zeros(5)
    for group, part in ((0, slice(0, 2)), (1, slice(2, 6))):
        components = Independent(Normal(means[..., part], log_deviations[..., part].exp()), 1)
        expected -= MixtureSameFamily(Categorical(logits=logits[:, group]), components).log_prob(target[:, part])
    assert torch.allclose(negative_log_likelihood((logits, means, log_deviations), target, [2, 6]), expected, atol=1e-4)


@torch.no_grad()
def test_what_is_drawn_has_the_mean_of_the_distribution_and_later_groups_depend_on_earlier_ones():
    predictor = net()
    torch.manual_seed(3)
    h, z = torch.randn(1, 32), torch.randn(1, 8)

    def draw() -> torch.Tensor:
        gumbel = -torch.log(-torch.log(torch.rand(predictor.groups, predictor.mixtures).clamp(1e-6, 1 - 1e-6)))
        return predictor.draw(h, z, gumbel, torch.randn(1, 8), 1.0, 1.0)[0]

    drawn = torch.stack([draw() for _ in range(1500)])
    first = predictor.ends[0]
    expected = predictor.mean(predictor.mixture(h, z, torch.zeros(1, 8)))[0, :first]
    assert torch.allclose(drawn[:, :first].mean(0), expected, atol=4 * float(drawn.std(0).max()) / 1500**0.5)
    other = predictor.mixture(h, z, torch.ones(1, 8) * 2)[1][..., first:]
    assert not torch.allclose(other, predictor.mixture(h, z, torch.zeros(1, 8))[1][..., first:], atol=1e-3)


@torch.no_grad()
def test_accent_moves_the_beat_and_not_its_mean():
    predictor, clock = net(), Clock()
    beat = torch.arange(0, 48, 1 / 16, dtype=torch.float64)
    features = clock(beat, torch.ones(len(beat)), torch.ones(len(beat)))
    predictor.rest(features)
    genre, h, notes = torch.eye(3)[1].expand(len(beat), 3), torch.zeros(len(beat), 32), torch.zeros(len(beat), 5)
    plain, strong = (predictor.guided(h, genre, features, notes, accent * genre) for accent in (1.0, 2.5))
    assert torch.allclose(plain.mean(0), strong.mean(0), atol=1e-4)
    assert torch.allclose(strong - strong.mean(0), 2.5 * (plain - plain.mean(0)), atol=1e-4)
