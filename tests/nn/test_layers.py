"""Layers: split and mixed again they are what they were; each holds what its name says; shares of power are those of the bands."""

import itertools
import math

import pytest
import torch

from noizestream.nn.chooser import DRUMMED
from noizestream.nn.layers import LayerFront, from_bytes, in_bytes
from noizestream.nn.spectral import SpectralFront

RATE = 48000
FRONT = SpectralFront(RATE)
NET = LayerFront(FRONT)
TIME = torch.arange(3 * RATE) / RATE


def sine(hz: float, level: float = 0.3) -> torch.Tensor:
    return level * torch.sin(2 * math.pi * hz * TIME)


def clicks() -> torch.Tensor:
    """Short bursts of noise, four a second."""
    white = torch.randn(len(TIME), generator=torch.Generator().manual_seed(0))
    return 0.5 * white * torch.exp(-torch.remainder(TIME, 0.25) * 200)


def chords(channels: int = 1) -> torch.Tensor:
    """Triads that change twice a second over a bass and clicks: [channels, n]."""
    random = torch.Generator().manual_seed(1)
    roots = 110 * 2 ** (torch.randint(0, 12, (6,), generator=random) / 12)
    hz = roots.repeat_interleave(RATE // 2)[: len(TIME)]
    phase = 2 * math.pi * torch.cumsum(hz, 0) / RATE
    pitched = sum(torch.sin(phase * ratio) / ratio for ratio in (1, 2, 2.52, 3, 8, 25))
    sound = 0.1 * pitched + clicks()
    return torch.stack([1.3 * sound, 0.7 * sound + 0.1 * pitched])[:channels]


def energy(columns: torch.Tensor, net: LayerFront = NET) -> dict[str, float]:
    """Power of each layer, in the magnitudes of its bands."""
    power = ((columns.exp() - net.floor).clamp(min=0) * (net.band_of < net.tones)).square().sum(0)
    return {name: float(power[net.layer_of == v].sum()) for v, name in enumerate(net.names)}


def share(sound: torch.Tensor, *names: str) -> float:
    found = energy(NET.split(FRONT.analyse(sound))[8:-8])
    return sum(found[name] for name in names) / sum(found.values())


@pytest.mark.parametrize("channels", [1, 2])
def test_layers_mixed_again_are_the_music(channels):
    front = SpectralFront(RATE, channels=channels)
    net = LayerFront(front)
    bands = front.analyse(chords(channels))
    columns = net.split(bands)
    assert columns.shape == (len(bands), net.columns)
    again = torch.stack([net.mix(row) for row in columns])
    assert torch.allclose(again, bands, atol=1e-3)


def test_every_column_is_of_one_layer_and_every_band_in_each_part():
    assert sum(NET.sizes) == NET.columns and NET.layer_of.bincount().tolist() == NET.sizes
    for part in (0, 1):
        of_part = NET.band_of[NET.part_of == part]
        assert sorted(of_part.tolist()) == list(range(FRONT.tones)), "its bands are cut into layers, none twice and none lost"


def test_clicks_are_drums_and_what_sounds_on_is_the_layer_of_its_pitch():
    assert share(clicks(), "drums") > 0.8
    for hz, name in ((80, "bass"), (440, "harmony"), (5000, "top")):
        assert share(sine(hz), name) > 0.9, name
        assert share(sine(hz), "drums") < 0.05


def kicks() -> torch.Tensor:
    """Two a second: a sine that falls to 50 Hz and dies away."""
    since = torch.remainder(TIME, 0.5)
    return 0.6 * torch.sin(2 * math.pi * 50 * since + 4.8 * (1 - torch.exp(-since * 25))) * torch.exp(-since * 14)


def lows(columns: torch.Tensor, from_hz: float, to_hz: float) -> dict[str, float]:
    """Power of each layer in the bands between two frequencies."""
    hz = torch.cat([FRONT.band_hz, torch.full((2 * FRONT.image,), math.inf)])[NET.band_of]
    inside = (hz >= from_hz) & (hz < to_hz)
    power = (columns.exp() - NET.floor).clamp(min=0).square().sum(0)
    return {name: float(power[inside & (NET.layer_of == v)].sum()) for v, name in enumerate(NET.names)}


@pytest.mark.parametrize("hz", [110.0, 146.0])
def test_kicks_are_drums_and_the_bass_note_that_is_held_under_them_is_bass(hz):
    columns = NET.split(FRONT.analyse(kicks() + sine(hz, 0.15))[8:-8])
    kick, held = lows(columns, 0, 70), lows(columns, hz - 12, hz + 12)
    assert kick["drums"] > 0.9 * sum(kick.values()) and held["bass"] > 0.9 * sum(held.values())
    for sound, name in ((kicks(), "drums"), (sine(hz, 0.15), "bass")):
        alone = lows(NET.split(FRONT.analyse(sound)[8:-8]), 0, 200)
        assert lows(columns, 0, 200)[name] == pytest.approx(alone[name], rel=0.1), "as much as there is without the other"
        assert alone[name] > 0.95 * sum(alone.values())


def test_a_held_note_that_swells_is_bass_and_one_that_stands_out_of_it_is_struck():
    swelling = sine(80, 0.15) * (1 + 0.4 * torch.sin(2 * math.pi * 0.5 * TIME))
    assert share(swelling, "bass") > 0.9
    standing = torch.where(torch.remainder(TIME, 1.0) < 0.12, 4.0, 1.0) * sine(80, 0.1)
    assert share(standing, "drums") > 0.5


def test_how_much_is_struck_tells_drums_from_none():
    drummed, without = (
        NET.struck(bands, NET.percussive(bands[:, : FRONT.tones]))
        for bands in map(FRONT.analyse, (0.3 * chords()[0] + 2 * clicks() + kicks(), sine(220) + sine(330, 0.2) + sine(80, 0.2)))
    )
    assert 0 <= without < 0.02 < DRUMMED < drummed <= 1


@pytest.mark.parametrize("edges", [[0.0, 200.0, 1000.0, 6000.0, 24000.0], [0.0, 60.0, 90.0, 100.0, 24000.0]])
def test_the_percussive_share_of_power_is_that_of_the_bands_between_the_edges(edges):
    bands = FRONT.analyse(chords()[0])
    share, power = NET.percussive(bands[:, : FRONT.tones]), (2 * bands[:, : FRONT.tones]).exp()
    found = NET.pooled(bands, share, torch.tensor(edges))
    assert found.shape == (len(bands), len(edges) - 1) and float(found.min()) >= 0 and float(found.max()) <= 1
    for n, (low, high) in enumerate(itertools.pairwise(edges)):
        inside = (FRONT.band_hz >= low) & (FRONT.band_hz < high)
        inside[(FRONT.band_hz - (low + high) / 2).abs().argmin()] = True  # there is one between any edges
        expected = (power * share)[:, inside].sum(1) / power[:, inside].sum(1)
        assert torch.allclose(found[:, n], expected, atol=1e-4)


def test_clicks_are_percussive_everywhere_where_they_sound_and_tones_nowhere_where_they_do():
    edges = torch.arange(0, 24001, 2000).float()
    hits, tone = (
        NET.pooled(bands, NET.percussive(bands[:, : FRONT.tones]), edges) for bands in map(FRONT.analyse, (clicks(), sine(5000)))
    )
    loud = FRONT.analyse(clicks()).mean(1) > -5
    assert float(hits[loud].mean()) > 0.8
    tone = tone[8:-8]
    assert float(tone[:, 2].max()) < 0.02


@pytest.mark.parametrize("channels", [1, 2])
def test_components_keep_what_they_were_fitted_to(channels):
    front = SpectralFront(RATE, channels=channels)
    net = LayerFront(front)
    columns = net.split(front.analyse(chords(channels)))
    kept = net.fit(columns)
    assert 0.95 < kept <= 1.0001
    z = net.encode(columns)
    assert z.shape == (len(columns), net.size) and sum(net.latents) == net.size
    rounded = net.rounded(z).float() * net.step
    assert float(((rounded - z).abs() <= 0.51 * net.step).float().mean()) > 0.99, "what is beyond int8 is rare"
    lost = ((net.decode(rounded) - columns) * net.weight).square().mean()
    assert lost < 0.06 * ((columns - columns.mean(0)) * net.weight).square().mean()
    assert torch.allclose(net.decode(z[7]), net.decode(z)[7], atol=1e-4)
    for v in range(net.count):
        own = net.basis[:, net.first_latent[v] : net.first_latent[v] + net.latents[v]]
        assert not own[net.layer_of != v].any(), "a layer's numbers move its own columns only"


def test_before_it_is_fitted_all_is_zero():
    net = LayerFront(FRONT)
    assert not net.encode(torch.randn(3, net.columns)).any()


@pytest.mark.parametrize(("rate", "block"), [(8000, 64), (16000, 128), (44100, 512), (96000, 1024)])
def test_every_rate_has_its_layers(rate, block):
    front = SpectralFront(rate, block, 2)
    net = LayerFront(front)
    bands = torch.randn(60, front.bands) - 5
    assert net.fit(net.split(bands)) > 0.1
    assert torch.isfinite(net.mix(net.decode(net.encode(net.split(bands)))[3])).all()


def test_shares_in_bytes_are_exact_at_both_ends():
    share = torch.sigmoid(torch.linspace(-8, 8, 400))
    again = from_bytes(in_bytes(share))
    assert float((again / share).log().abs().max()) < 0.05 and float(((1 - again) / (1 - share)).log().abs().max()) < 0.05
    assert from_bytes(in_bytes(torch.tensor([0.0, 1.0]))).tolist() == pytest.approx([0, 1], abs=2e-4)
