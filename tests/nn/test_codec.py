"""The codec starts as exactly its PCA, streams as it trains, and never decodes louder than what it has heard."""

import torch

from noizestream.nn.codec import CONTEXT, Codec
from noizestream.nn.spectral import SpectralFront

FRONT = SpectralFront(48000)


def fitted(latent: int) -> tuple[Codec, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    x = torch.randn(400, 12, generator=random) @ torch.randn(12, FRONT.bands, generator=random) * 0.3 - 5
    codec = Codec(FRONT, latent)
    weighted = x * codec.weight
    codec.fit_pca(weighted.mean(0), torch.cov(weighted.T), x.amax(0))
    return codec.eval(), x


@torch.no_grad()
def test_untrained_it_is_the_pca_and_loses_nothing_that_the_latents_can_hold():
    codec, x = fitted(latent=16)
    z = codec.encode(x[None])
    assert torch.allclose(codec.decode(z)[0], x, atol=2e-3)
    assert torch.allclose(z[0, :, :12].std(0), torch.ones(12), atol=0.05)


@torch.no_grad()
def test_decoding_a_sequence_equals_decoding_frame_by_frame():
    codec, x = fitted(latent=16)
    for parameter in codec.decoder.parameters():
        torch.nn.init.normal_(parameter, std=0.05, generator=torch.Generator().manual_seed(1))
    z = codec.encode(x[None])[0]
    whole = codec.decode(z[None])[0]
    history = torch.zeros(CONTEXT, 16)
    for t in range(50):
        history = torch.cat([history[1:], z[t : t + 1]])
        assert torch.allclose(codec.decode_frame(history), whole[t], atol=1e-5)


@torch.no_grad()
def test_decoding_is_causal():
    codec, x = fitted(latent=16)
    torch.nn.init.normal_(codec.decoder[-1].weight, std=0.05)
    z = codec.encode(x[None])
    changed = z.clone()
    changed[:, 100:] = 3.0
    assert torch.equal(codec.decode(z)[:, :100], codec.decode(changed)[:, :100])


@torch.no_grad()
def test_no_latent_decodes_louder_than_training():
    codec, x = fitted(latent=16)
    wild = 5 * torch.randn(1, 200, 16)
    assert bool((codec.decode(wild)[0] <= x.amax(0) + 1e-5).all())
