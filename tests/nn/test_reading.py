"""Reading the memory: what goes on sounds as it was recorded, gains take a layer's share, transposition moves pitch."""

import itertools
import math

import pytest
import torch

from noizestream.nn.codec import Codec
from noizestream.nn.harmony import LOWEST_SHIFT, SHIFTS, UNMOVED
from noizestream.nn.layer_table import LAYERS
from noizestream.nn.layers import LayerFront
from noizestream.nn.memory import Memory
from noizestream.nn.reading import FAR, STRAY, Reader
from noizestream.nn.spectral import SpectralFront
from rig.made_up import NAMES, sound
from tests.nn.readings import Reading, V, made_up, recorded


@pytest.fixture(scope="module", params=[1, 2], ids=["mono", "stereo"])
def reader(request) -> Reader:
    return made_up(request.param)


@pytest.mark.parametrize("slot", [0, 8, 64])  # all of which begin with a frame
def test_what_goes_on_sounds_to_the_sample_as_it_was_recorded(reader, slot):
    reading = Reading(reader, slot)
    audio = reading.play(700)
    assert math.floor(reading.at) == slot + 37 and len({state.frame for state in reading.playing}) == 1
    expected = recorded(reader, int(reader.memory.first[slot]), 700)
    assert float(expected.square().mean().sqrt()) > 0.03
    assert torch.allclose(audio[:, reader.block :], expected[:, reader.block :], atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_gain_of_zero_takes_exactly_what_is_the_layers_and_others_scale_it(reader, name):
    v, codec = NAMES.index(name), reader.codec
    first = int(reader.memory.first[8])
    coefficients, share = codec.decode(reader.memory.frames[first : first + 80])
    layer = LAYERS[v]
    own = ((codec.hz >= layer.from_hz) & (codec.hz < layer.to_hz)).float()
    own = own * (share if layer.part == "percussive" else 1 - share)
    frames = codec.inverse(coefficients * own.unsqueeze(1)).transpose(0, 1)
    alone = codec.sides((frames[:, 1:, : codec.block] + frames[:, :-1, codec.block :]).flatten(1))
    assert float(alone.square().mean().sqrt()) > 0.005
    whole, without, twice, only = (
        Reading(reader, 8).play(80, [gain if u == v else other for u in range(V)])[:, codec.block :]
        for gain, other in ((1, 1), (0, 1), (2, 1), (1, 0))
    )
    assert torch.allclose(only, alone, atol=1e-5) and torch.allclose(whole - without, alone, atol=1e-5)
    assert torch.allclose(twice - whole, alone, atol=1e-5)


def test_layers_that_jump_to_the_first_one_read_its_frame(reader):
    reading = Reading(reader, 5, speed=1.05)
    reading.play(25)
    strayed = reading.playing[0].frame - reading.right[0]
    assert 0.5 < abs(strayed) < STRAY
    for state in reading.playing[1:]:
        state.since, state.frame = 0, 900.0
    reading.step()
    assert len({state.frame for state in reading.playing}) == 1


@pytest.mark.parametrize("number", [UNMOVED - 4, UNMOVED + 3])
def test_layers_that_join_a_transposed_one_read_its_frame_if_they_are_moved_alike(reader, number):
    reading = Reading(reader, 5)
    reading.playing[0].shift = number
    reading.play(25)
    assert reading.playing[0].frame % 1 > 0
    harmony, bass, top, _ = reading.playing
    reading.jump(harmony.slot, NAMES.index("bass"), shift=number)
    reading.jump(harmony.slot, NAMES.index("top"))
    for _ in range(150):
        reading.step()
        assert bass.frame == harmony.frame and bass.moved == harmony.moved == number
        assert top.moved == UNMOVED and top.frame % 1 == 0


@pytest.mark.parametrize("speed", [0.5, 0.93, 1.0, 1.1, 1.5, 2.0, 3.0])
def test_reading_keeps_to_the_beat_at_any_tempo(reader, speed):
    reading, frames = Reading(reader, 0, speed), []
    for _ in range(350):
        reading.step()
        frames.append(reading.playing[0].frame)
        assert all(abs(state.frame - right) <= STRAY + 1e-9 for state, right in zip(reading.playing, reading.right, strict=True))
    jumps = sum(after != before + 1 for before, after in itertools.pairwise(frames))
    assert jumps <= 350 * min(1.0, abs(speed - 1)) and bool(jumps) == (speed != 1.0)


@pytest.mark.parametrize("number", [n for n in range(SHIFTS) if n != UNMOVED])
def test_a_transposed_layer_does_so_where_a_slot_begins_and_in_between_reads_on(reader, number):
    reading, ratio = Reading(reader, 0, 1.0, number), 2 ** ((number - UNMOVED) / 12)
    reading.step()
    for _ in range(350):
        slot, frame = math.floor(reading.at), reading.playing[0].frame
        before = reading.playing[0].sounding
        reading.step()
        begins = slot != before
        off = [abs(state.frame - right) for state, right in zip(reading.playing, reading.right, strict=True)]
        assert max(off) <= (STRAY if begins else FAR) + 1e-9
        assert begins or reading.playing[0].frame == pytest.approx(frame + ratio)


def test_where_slots_are_long_a_transposed_layer_is_brought_back_within_them(reader):
    reading, brought = Reading(reader, 0, 0.25, UNMOVED + 5), 0
    for _ in range(300):
        before = reading.playing[0].frame
        reading.step()
        off = [abs(state.frame - right) for state, right in zip(reading.playing, reading.right, strict=True)]
        brought += reading.playing[0].frame < before
        assert max(off) <= FAR + 1e-9
    assert brought > 20


def sounding(hz: float, channels: int = 1) -> Reader:
    """A memory of one tone, of 16 slots of 12 frames, no share of it percussive."""
    codec, layers = Codec(48000, 512, channels), LayerFront(SpectralFront(48000, 512, channels))
    time = torch.arange(512 * 200, dtype=torch.float64) / 48000
    tone = (0.3 * torch.sin(2 * math.pi * hz * time)).float().expand(channels, -1)
    made = Memory(199, 16, [1], [1], layers.count, layers.size, codec.size)
    made.frames.copy_(codec.encode(tone, torch.zeros(199, codec.bands)))
    made.first.copy_(torch.arange(16) * 12)
    made.length.fill_(12)
    made.duration.fill_(12)
    made.final.fill_(191)
    made.follows[:-1] = 1
    made.piece_slots.fill_(16)
    return Reader(codec, made, layers)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("number", range(SHIFTS))
@pytest.mark.parametrize(("hz", "name"), [(93.0, "bass"), (440.0, "harmony"), (2900.0, "top")])
def test_a_transposed_layer_sounds_so_many_semitones_higher_and_without_a_joint(hz, name, number, channels):
    reader, v = sounding(hz, channels), NAMES.index(name)
    ratio = 2 ** ((number + LOWEST_SHIFT) / 12)
    # As fast as it is read, so that it never strays.
    audio = Reading(reader, 2, ratio, number, 12).play(60, [float(u == v) for u in range(V)])[:, 2 * 512 :].double()
    time = torch.arange(audio.shape[1], dtype=torch.float64) / 48000
    angle = 2 * math.pi * hz * ratio * time
    basis = torch.stack([angle.sin(), angle.cos()], 1)
    fitted = (basis @ torch.linalg.lstsq(basis, audio.t()).solution).t()
    assert float(fitted.square().mean().sqrt()) == pytest.approx(0.3 / 2**0.5, rel=0.06)
    error = float(10 * torch.log10((audio - fitted).square().mean() / fitted.square().mean()))
    assert error < (-17 if hz > 2000 else -21), "what is left is what the codec has lost"


@pytest.mark.parametrize("number", [0, 3, 8, 11])
def test_at_its_own_tempo_a_transposed_layer_has_its_pitch_too(number):
    reader, ratio = sounding(440.0), 2 ** ((number + LOWEST_SHIFT) / 12)
    audio = Reading(reader, 1, 1.0, number, 12).play(150, [float(name == "harmony") for name in NAMES])[0]
    power = torch.fft.rfft(audio * torch.hann_window(len(audio))).abs().square()
    hz = torch.fft.rfftfreq(len(audio), 1 / 48000)
    near = (hz / (440 * ratio)).log2().abs() < 0.5 / 12
    assert float(power[near].sum() / power.sum()) > 0.7
    assert float((power * hz).sum() / power.sum()) == pytest.approx(440 * ratio, rel=0.02)


def test_only_the_layer_that_is_transposed_moves(reader):
    number, v = UNMOVED + 4, NAMES.index("harmony")
    plain, moved = Reading(reader, 5), Reading(reader, 5)
    moved.playing[v].shift = number
    others = [float(u != v) for u in range(V)]
    assert torch.allclose(plain.play(60, others), moved.play(60, others), atol=1e-6)
    plain, moved = Reading(reader, 5), Reading(reader, 5)
    moved.playing[v].shift = number
    assert not torch.allclose(plain.play(60), moved.play(60), atol=1e-2)


def test_rows_of_made_up_sound_are_as_loud_as_music(reader):
    audio = reader.codec.stream(sound(reader.codec, [19] * 50))
    assert 0.03 < float(audio.square().mean().sqrt()) < 0.3
