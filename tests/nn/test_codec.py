"""The codec: its transform loses nothing, its bytes little, and what it says about levels, shares and sides comes back."""

import math

import pytest
import torch

from noizestream.nn.codec import Codec
from noizestream.nn.rows import SHARES, SIDE

RATES, BLOCKS = (16000, 44100, 48000), (128, 256, 512)
SECONDS = 1.5


def white(rate: int, channels: int = 1, seed: int = 0) -> torch.Tensor:
    """[channels, n]"""
    return 0.1 * torch.randn(channels, int(SECONDS * rate), generator=torch.Generator().manual_seed(seed))


def tone(hz: float, rate: int = 48000) -> torch.Tensor:
    """[1, n]"""
    return 0.3 * torch.sin(2 * math.pi * hz * torch.arange(int(SECONDS * rate)) / rate)[None]


def within(sound: torch.Tensor, low: float, high: float, rate: int = 48000) -> torch.Tensor:
    """What of `sound` [..., n] lies between `low` and `high` Hz."""
    spectrum = torch.fft.rfft(sound)
    hz = torch.fft.rfftfreq(sound.shape[-1], 1 / rate)
    spectrum[..., (hz < low) | (hz >= high)] = 0
    return torch.fft.irfft(spectrum, sound.shape[-1])


def rows_of(codec: Codec, sound: torch.Tensor, share: float = 0.0) -> torch.Tensor:
    return codec.encode(sound, torch.full((sound.shape[1] // codec.block - 1, codec.bands), share))


def decoded(codec: Codec, sound: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What was encoded and what comes back [channels, n], where all frames overlap."""
    again = codec.stream(rows_of(codec, sound))
    assert again.shape == (codec.channels, sound.shape[1] // codec.block * codec.block)
    inside = slice(2 * codec.block, again.shape[1] - 2 * codec.block)
    return sound[:, inside], again[:, inside]


def db(sound: torch.Tensor, reference: torch.Tensor) -> float:
    """How much louder `sound` is than `reference`."""
    return float(10 * torch.log10(sound.square().mean() / reference.square().mean()))


def error_db(codec: Codec, sound: torch.Tensor) -> float:
    before, after = decoded(codec, sound)
    return db(after - before, before)


@pytest.mark.parametrize(("rate", "block"), [(48000, 512), (16000, 128)])
def test_frames_transformed_back_overlapped_and_added_are_the_sound(rate, block):
    codec, sound = Codec(rate, block), white(rate, 2)
    assert codec.coefficients == block
    spectra = codec.transform(sound)
    assert spectra.shape == (2, sound.shape[1] // block - 1, block)
    frames = codec.inverse(spectra)
    assert frames.shape == (*spectra.shape[:2], 2 * block)
    again = (frames[:, :-1, block:] + frames[:, 1:, :block]).flatten(1)
    assert torch.allclose(again, sound[:, block : block + again.shape[1]], atol=1e-5)
    assert float(spectra.square().sum() / sound.square().sum()) == pytest.approx(1, abs=0.02), "levels are those of samples"


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_rate_and_block_is_kept_in_bytes_and_comes_back(rate, block, channels):
    codec = Codec(rate, block, channels)
    assert codec.coefficients > 0.9 * block and codec.sided <= codec.bands and float(codec.hz.max()) < rate / 2
    rows = rows_of(codec, white(rate, channels))
    assert rows.shape == (int(SECONDS * rate) // block - 1, codec.size) and rows.dtype == torch.uint8
    coefficients, share = codec.decode(rows)
    assert coefficients.shape == (len(rows), channels, codec.coefficients) and share.shape == (len(rows), codec.coefficients)
    before, after = decoded(codec, white(rate, channels))
    assert db(after, before) == pytest.approx(0, abs=0.5)
    pitched = tone(440, rate).expand(channels, -1)
    assert error_db(codec, pitched) < -22


@pytest.mark.parametrize(
    ("hz", "least"), [(55, 23), (110, 23), (445, 23), (1000, 23), (1510, 19), (2750, 19), (4100, 9), (7000, 9)]
)
@pytest.mark.parametrize("detuned", [1.0, 1.013, 1.029])
def test_tones_come_back_with_an_error_far_below_them(hz, least, detuned):
    assert error_db(Codec(channels=1), tone(hz * detuned)) < -least


@pytest.mark.parametrize(("low", "high", "least"), [(0, 1100, 23.5), (1150, 2950, 21), (3050, 8200, 9.5), (8300, 15700, 4)])
def test_noise_comes_back_with_its_phases(low, high, least):
    assert error_db(Codec(channels=1), within(white(48000), low, high)) < -least


@pytest.mark.parametrize("channels", [1, 2])
def test_above_8_khz_levels_are_kept_band_by_band_and_in_time(channels):
    codec, rate = Codec(channels=channels), 48000
    # Loud and quiet by turns, and quiet where it is highest.
    loud = torch.where(torch.arange(int(SECONDS * rate)) % 12000 < 6000, 1.0, 0.1)
    sound = within(white(rate, channels), 8200, 15700) + 0.2 * within(white(rate, channels), 16900, 24000)
    before, after = decoded(codec, sound * loud)
    for low, high in ((8500, 12000), (12000, 15500), (17000, 20000), (20000, 23500)):
        a, b = within(before, low, high), within(after, low, high)
        for part in (slice(500, 3500), slice(6500, 9500)):
            assert db(b[:, part], a[:, part]) == pytest.approx(0, abs=0.7), (low, high, part)


@pytest.mark.parametrize("hz", [9100.0, 12300.0, 15100.0, 18200.0, 21000.0])
def test_a_tone_above_8_khz_is_kept_as_loud_as_it_was_and_near_its_pitch(hz):
    before, after = decoded(Codec(channels=1), tone(hz))
    assert db(after, before) == pytest.approx(0, abs=0.3)
    assert db(within(after, hz - 1100, hz + 1100), after) > -1.5


@pytest.mark.parametrize("channels", [1, 2])
def test_silence_stays_silent_and_so_does_the_silence_beside_a_sound(channels):
    codec = Codec(channels=channels)
    sound = white(48000, channels)
    sound[:, 30000:] = 0
    coefficients, _ = codec.decode(rows_of(codec, sound, 0.5))
    silent = 30000 // codec.block + 1
    assert not coefficients[silent:].any() and coefficients[: silent - 2].abs().amax((1, 2)).min() > 0.01
    assert not codec.stream(rows_of(codec, torch.zeros(channels, 5120))).any()


@pytest.mark.parametrize(("rate", "block"), [(48000, 512), (44100, 256), (16000, 128)])
def test_a_row_of_one_channel_is_the_beginning_of_one_of_two(rate, block):
    one, two, sound = Codec(rate, block, 1), Codec(rate, block, 2), white(rate, 2)
    both = rows_of(two, sound, 0.4)
    assert two.mono == one.size < two.size
    assert torch.equal(rows_of(one, sound, 0.4), both[:, : one.size])
    middle, sides = one.stream(both[:, : one.size]), two.stream(both)
    assert torch.allclose(sides.mean(0), middle[0], atol=1e-5), "what is heard of both sides together is the mono sound"


@pytest.mark.parametrize("channels", [1, 2])
def test_shares_come_back_band_by_band(channels):
    codec = Codec(channels=channels)
    sound = white(48000, channels)
    share = torch.rand(sound.shape[1] // codec.block - 1, codec.bands, generator=torch.Generator().manual_seed(1))
    share[0], share[1], share[2] = 0.0, 1.0, 1.7
    _, found = codec.decode(codec.encode(sound, share))
    band = torch.repeat_interleave(torch.arange(codec.bands), torch.tensor(codec.widths))
    assert float((found - share.clamp(max=1)[:, band]).abs().max()) <= 0.5 / SHARES + 1e-6
    assert not found[0].any() and bool((found[1:3] == 1).all()), "none and all are exact"


def sides(sound: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Middle and side of left and right."""
    return sound.mean(0), 0.5 * (sound[0] - sound[1])


def test_below_3_khz_the_side_has_shapes_of_its_own():
    before, after = decoded(Codec(), within(white(48000, 2), 0, SIDE.to_hz - 100))
    middle, side = sides(after)
    assert db(side - sides(before)[1], sides(before)[1]) < -10 and db(side, sides(before)[1]) == pytest.approx(0, abs=0.2)
    assert db(middle - sides(before)[0], sides(before)[0]) < -20


@pytest.mark.parametrize("pan", [-1.0, -0.43, 0.0, 0.57, 1.0])
@pytest.mark.parametrize("width", [0.0, 0.5, 1.0])
def test_above_3_khz_where_the_side_lies_and_how_wide_it_is_comes_back(pan, width):
    middle, rest = within(white(48000, 2), 3400, 22000)
    side = pan * middle + width * rest
    _, after = decoded(Codec(), torch.stack([middle + side, middle - side]))
    found, other = sides(after)
    lies = float((found * other).mean() / found.square().mean())
    assert lies == pytest.approx(pan, abs=0.1)
    assert float((other - lies * found).square().mean().sqrt() / found.square().mean().sqrt()) == pytest.approx(width, abs=0.15)


@pytest.mark.parametrize("channels", [1, 2])
def test_scripted_it_is_the_same(channels):
    codec = Codec(16000, 128, channels)
    for method in ("encode", "stream"):
        torch.jit.export(getattr(Codec, method))
    scripted = torch.jit.script(codec)
    rows = rows_of(codec, white(16000, channels), 0.3)
    assert torch.equal(rows_of(scripted, white(16000, channels), 0.3), rows)
    assert torch.allclose(scripted.stream(rows), codec.stream(rows), atol=1e-6)
