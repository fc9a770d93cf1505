"""One step of the whole generator: pure, controllable, bounded."""

import math

import pytest
import torch

from noizestream.nn.codec import Codec
from noizestream.nn.moods import MOODS
from noizestream.nn.notes import Notes
from noizestream.nn.plan import Plan
from noizestream.nn.player import Player
from noizestream.nn.predictor import Predictor
from noizestream.nn.spectral import SpectralFront

GENRE = torch.tensor([1.0, 0.0])
CELLS = 4  # tensors of LSTM state before history and beat


def player() -> Player:
    torch.manual_seed(0)
    front = SpectralFront(48000)
    codec = Codec(front, latent=8, hidden=16)
    codec.mean.fill_(-4.0)
    torch.nn.init.normal_(codec.synthesis, std=0.3)
    notes = Notes(front, codes=20)
    notes.book.uniform_(0, 2)
    predictor = Predictor(8, genres=2, notes=notes.size + MOODS, hidden=16)
    for head in predictor.heads:
        torch.nn.init.normal_(head.weight, std=0.5)
    return Player(front, codec, Plan(notes, 2, hidden=8), predictor, torch.tensor([120.0, 90.0]), torch.tensor([0.7, 0.7])).eval()


@torch.no_grad()
def run(net: Player, steps: int, controls=(1.0, 0.0, -1.0), genre=GENRE, seed=0, state=None):
    random = torch.Generator().manual_seed(seed)
    state = net.initial_state() if state is None else state
    blocks = []
    for _ in range(steps):
        block, state = net.step(genre, torch.tensor(controls), torch.rand(net.noise_size, generator=random), state)
        blocks.append(block)
    return torch.cat(blocks, 1), state


def test_the_same_noise_gives_the_same_sound_and_the_state_is_never_written_to():
    net = player()
    _, state = run(net, 5)
    kept = [s.clone() for s in state]
    first, _ = run(net, 5, state=state)
    second, _ = run(net, 5, state=state)
    assert torch.equal(first, second)
    assert all(torch.equal(a, b) for a, b in zip(kept, state, strict=True))
    assert not torch.equal(first, run(net, 5, seed=1, state=state)[0])


def test_a_stored_state_goes_on_as_if_never_stopped():
    net = player()
    whole, _ = run(net, 12)
    random = torch.Generator().manual_seed(0)
    state, parts = net.initial_state(), []
    with torch.no_grad():
        for i in range(12):
            if i == 6:
                state = [s.clone() for s in state]
            block, state = net.step(GENRE, torch.tensor([1.0, 0.0, -1.0]), torch.rand(net.noise_size, generator=random), state)
            parts.append(block)
    assert torch.equal(torch.cat(parts, 1), whole)


def test_the_beat_runs_at_the_genres_own_tempo_the_asked_one_or_follows():
    net = player()
    seconds = 90 * 512 / 48000
    _, own = run(net, 90)
    assert torch.isclose(own[CELLS + 1], torch.tensor(120 / 60 * seconds % 48, dtype=torch.float64), atol=1e-6)
    _, asked = run(net, 90, controls=(1.0, 60.0, -1.0))
    assert torch.isclose(asked[CELLS + 1], torch.tensor(60 / 60 * seconds % 48, dtype=torch.float64), atol=1e-6)
    _, followed = run(net, 3, controls=(1.0, 60.0, 7.5))
    assert torch.isclose(followed[CELLS + 1], torch.tensor(7.5 + 512 / 48000, dtype=torch.float64), atol=1e-6)
    _, between = run(net, 90, genre=torch.tensor([0.5, 0.5]))
    mean = (120 * 90) ** 0.5
    assert torch.isclose(between[CELLS + 1], torch.tensor(mean / 60 * seconds % 48, dtype=torch.float64), atol=1e-4)


def test_temperature_zero_spreads_less_than_two():
    net = player()
    state = run(net, 20)[1]
    spreads = []
    for temperature in (0.0, 1.0, 2.0):  # of the frames of the next slot, which another seed draws with other numbers
        ends = torch.stack([run(net, 12, (temperature, 0.0, -1.0), seed=s, state=state)[1][CELLS][-1] for s in range(60)])
        spreads.append(float(ends.std(0).mean()))
    assert spreads[0] < spreads[1] < spreads[2]


def test_every_noise_in_the_open_interval_gives_finite_bounded_sound():
    net = player()
    for value in (0.5 / 2**23, 1 - 0.5 / 2**23):
        state = net.initial_state()
        with torch.no_grad():
            for _ in range(20):
                block, state = net.step(GENRE, torch.tensor([2.0, 0.0, -1.0]), torch.full((net.noise_size,), value), state)
                assert bool(torch.isfinite(block).all())
        assert float(state[CELLS].abs().max()) <= net.limit


def test_a_genre_without_a_beat_lets_the_clock_go():
    net = player()
    net.beaten.copy_(torch.tensor([0.0, 1.0]))
    state = run(net, 3)[1]
    later = [s.clone() for s in state]
    later[CELLS + 1] = later[CELLS + 1] + 0.5
    assert torch.equal(run(net, 1, state=state)[0], run(net, 1, state=later)[0])
    other = torch.tensor([0.0, 1.0])
    assert not torch.equal(run(net, 1, genre=other, state=state)[0], run(net, 1, genre=other, state=later)[0])


@torch.no_grad()
def test_hearing_its_own_music_leaves_it_where_playing_it_did():
    """Primed with what it would encode, the LSTM stands where teacher forcing of the same latents puts it."""
    net = player()
    sound = 0.1 * torch.randn(1, 48000, generator=torch.Generator().manual_seed(1))
    z, _ = net.encode(sound)
    state = net.prime(sound, GENRE)
    assert torch.equal(state[CELLS], z[-net.context :])
    assert float(state[CELLS + 1]) > 0 and bool(torch.isfinite(run(net, 5, state=state)[0]).all())
    assert not torch.equal(state[0], net.initial_state()[0])


@torch.no_grad()
def test_contrast_raises_partials_over_what_is_between_them_and_not_the_whole():
    net = player()
    last = net.plan.notes.last
    bands, genre = torch.full((net.front.bands,), -6.0), torch.tensor([1.0, 0.0])
    bands[10:last:15] = -2.0
    (plain, nothing), (attack, quieter) = net.shaped(bands, genre, 1.0, 0.0), net.shaped(bands, genre, 1.4, 0.0)
    assert torch.allclose(plain, bands, atol=1e-6) and nothing == pytest.approx(0.0, abs=1e-6)
    raised = attack
    for _ in range(100):
        raised, quieter = net.shaped(bands, genre, 1.4, quieter)
    assert float(raised[10] - raised[13]) > 1.2 * float(plain[10] - plain[13])
    power = [float(shaped[:last].mul(2).exp().sum()) for shaped in (plain, attack, raised)]
    assert power[2] == pytest.approx(power[0], rel=1e-3) and power[1] > 1.1 * power[0], "not at once: that would flicker"
    assert torch.equal(raised[last:], plain[last:])


@torch.no_grad()
def test_score_counts_every_frame_and_knows_more_with_the_beat():
    net = player()
    sound = 0.1 * torch.randn(1, 24000, generator=torch.Generator().manual_seed(1))
    z, bands = net.encode(sound)
    nats, means = net.score(sound, GENRE)
    assert nats.shape == z.shape[:1] and means.shape == bands.shape and bool(torch.isfinite(nats).all())
    at_beat, _ = net.score_at(sound, GENRE, torch.arange(100, dtype=torch.float64) / 40)
    assert not torch.allclose(at_beat, nats)


@torch.no_grad()
def test_reconstruct_keeps_the_length():
    net = player()
    sound = 0.1 * torch.randn(1, 10001, generator=torch.Generator().manual_seed(1))
    assert net.reconstruct(sound).shape == sound.shape
    assert torch.equal(net.reconstruct(sound), net.reconstruct(sound))


@torch.no_grad()
def test_a_mood_adds_its_timbre_within_a_beat_and_another_genre_its_own():
    net = player()
    net.moods.table[:, :, 0] = torch.tensor([2.0, -1.0])[:, None]  # whatever mood is drawn
    net.timbre[:, 0] = torch.tensor([0.5, 3.0])[:, None]
    timbre = net.planned - 1
    _, early = run(net, 3)
    assert 0.0 < float(early[timbre][0]) < 0.5, "not at once"
    _, later = run(net, 200, state=early)
    assert torch.allclose(later[timbre], torch.full_like(later[timbre], 1.0), atol=0.02)
    half = torch.tensor([0.5, 0.5])
    _, morphed = run(net, 200, genre=half, state=later)  # a mood of 0.5, a timbre of half each
    assert torch.allclose(morphed[timbre], torch.full_like(morphed[timbre], 0.5 * 0.5 * (0.5 + 3.0)), atol=0.02)
    plain = player()
    plain.moods.table.copy_(net.moods.table)
    silent = [*later[:timbre], 0 * later[timbre], *later[timbre + 1 :]]
    louder, quieter = (run(one, 40, state=begins)[0][:, 4 * net.block :] for one, begins in ((net, later), (plain, silent)))
    assert float(louder.square().mean() / quieter.square().mean()) == pytest.approx(math.exp(2.0), rel=0.1)
