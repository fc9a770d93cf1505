"""Reading the memory: what goes on sounds as it was recorded, jumps fade, gains take a layer's share, transposition moves pitch."""

import itertools
import math

import pytest
import torch

from noizestream.nn.codec import Codec
from noizestream.nn.harmony import LOWEST_SHIFT, SHIFTS, UNMOVED
from noizestream.nn.layers import LAYERS, LayerFront
from noizestream.nn.memory import Memory
from noizestream.nn.reading import LASTING_S, PERCUSSIVE_S, STRAY, Reader
from noizestream.nn.spectral import SpectralFront
from noizestream.nn.unit_state import LayerState, nothing
from tests.nn.made_up import DRUMS, NAMES, SLOT, memory, sound

V = len(LAYERS)
UNITY = [1.0] * V


@pytest.fixture(scope="module", params=[1, 2], ids=["mono", "stereo"])
def reader(request) -> Reader:
    """Of two pieces of 64 slots."""
    codec, layers = Codec(16000, 128, request.param), LayerFront(SpectralFront(16000, 128, request.param))
    return Reader(codec, memory(layers, 8, 2, 64, genres=1, codec=codec), layers).eval()


class Reading:
    """Slots that follow each other, read block by block at a share `speed` of their own tempo."""

    def __init__(self, reader: Reader, slot: int, speed: float = 1.0, shift: int = UNMOVED, per_slot: float = SLOT):
        self.reader, self.at, self.passed = reader, float(slot), speed / per_slot
        self.playing = [LayerState(nothing()) for _ in range(V)]
        self.overlap = torch.zeros(reader.channels, reader.block)
        self.right: list[float] = []  # where each layer should be
        for state in self.playing:
            state.slot, state.shift = slot, shift

    def jump(self, slot: int, *layers: int, shift: int = UNMOVED) -> None:
        """Let layers be in the next block as far into `slot` as they are into theirs."""
        for v in layers:
            self.playing[v].slot, self.playing[v].since, self.playing[v].shift = slot, 0, shift

    @torch.inference_mode()
    def step(self, gains: list[float] = UNITY) -> torch.Tensor:
        way = self.at - math.floor(self.at)
        self.reader.move(self.playing, way)
        made = self.reader.memory
        self.right = [float(made.first[s.slot] - made.late[s.slot] + way * made.duration[s.slot]) for s in self.playing]
        block, self.overlap = self.reader.sound(self.playing, gains, self.overlap)
        before, self.at = math.floor(self.at), self.at + self.passed
        for state in self.playing:
            state.since += 1
            state.slot += math.floor(self.at) - before
        return block

    def play(self, blocks: int, gains: list[float] = UNITY) -> torch.Tensor:
        """Audio [channels, n]."""
        return torch.cat([self.step(gains) for _ in range(blocks)], 1)


def recorded(reader: Reader, frame: float, blocks: int) -> torch.Tensor:
    """The same number of blocks of the memory as it was recorded, from `frame` on."""
    rows = reader.memory.frames[: int(frame) + blocks + 1]
    return reader.codec.stream(rows)[:, int(frame) * reader.block : (int(frame) + blocks) * reader.block]


def levels(audio: torch.Tensor, block: int) -> torch.Tensor:
    """Root mean squares of the blocks."""
    return audio.unflatten(1, (-1, block)).square().mean((0, 2)).sqrt()


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


@pytest.mark.parametrize("name", NAMES)
def test_a_jump_fades_within_the_blocks_that_are_said_and_is_never_louder_than_both(reader, name):
    v, block = NAMES.index(name), reader.block
    seconds = PERCUSSIVE_S if v == DRUMS else LASTING_S
    fade = reader.fades[v]
    assert abs(fade * block / 16000 - seconds) <= 0.5 * block / 16000 + 1e-9
    gains = [float(u == v) for u in range(V)]
    share = (0.5 * math.pi * torch.arange(fade + 1) / (fade + 1)).sin() ** 2  # of the new place, in power, frame by frame
    share = 0.5 * (share[1:] + share[:-1])
    power, expected = 0.0, 0.0
    for target in range(8, 58, 2):
        jumping, before, after = Reading(reader, 5), Reading(reader, 5), Reading(reader, target)
        jumping.play(30, gains), before.play(30, gains)
        jumping.jump(target, v)
        after.at = jumping.at - jumping.passed
        heard = jumping.step(gains)
        for state in after.playing:
            state.frame, state.since = jumping.playing[v].frame - 2, 1
        after.step(gains)
        heard, old, new = torch.cat([heard, jumping.play(19, gains)], 1), before.play(20, gains), after.play(20, gains)
        assert torch.allclose(heard[:, (fade + 1) * block :], new[:, (fade + 1) * block :], atol=1e-5), "then nothing is left of it"
        assert not torch.allclose(heard[:, :block], new[:, :block], atol=1e-3)
        loud, both = levels(heard, block), (levels(old, block) ** 2 + levels(new, block) ** 2).sqrt()
        around = torch.maximum(both, torch.nn.functional.pad(both, (1, 0))[:-1])  # of two frames that overlap
        assert bool((loud <= 1.1 * around).all())
        power += float(loud[:fade].square().sum())
        expected += float(torch.lerp(levels(old, block)[:fade].square(), levels(new, block)[:fade].square(), share).sum())
    assert power == pytest.approx(expected, rel=0.25), "on the whole neither a hole nor a hump"


def test_a_jump_to_where_it_would_have_gone_is_none(reader):
    jumping, plain = Reading(reader, 5), Reading(reader, 5)
    jumping.play(30), plain.play(30)
    for state in jumping.playing[1:]:  # to the slot of the first one
        state.since = 0
    assert torch.equal(jumping.play(30), plain.play(30)) and all(state.old < 0 for state in jumping.playing)


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
def test_a_transposed_layer_does_so_too(reader, number):
    reading = Reading(reader, 0, 1.0, number)
    for _ in range(350):
        reading.step()
        assert all(abs(state.frame - right) <= STRAY + 1e-9 for state, right in zip(reading.playing, reading.right, strict=True))


@pytest.mark.parametrize("number", [UNMOVED, UNMOVED + 5, UNMOVED - 4])
def test_what_fades_is_over_where_its_stretch_ends_and_does_not_repeat_its_last_frame(reader, number):
    end, ratio = int(reader.memory.final[63]), 2 ** ((number - UNMOVED) / 12)
    for blocks in range(math.ceil(11 / ratio), math.floor(19 / ratio)):
        reading = Reading(reader, 63, ratio, number)  # as fast as it is read: nothing else fades
        reading.play(blocks)
        left, reading.passed = [state.frame for state in reading.playing], 1.0 / SLOT
        reading.jump(3, *range(V))
        faded = [0] * V
        for block in range(1, 13):
            reading.step()
            for v, state in enumerate(reading.playing):
                faded[v] += state.old >= 0
                assert state.old < 0 or state.old == pytest.approx(left[v] + block * ratio), "as it was recorded"
                assert state.old >= 0 or reader.weight(v, state, False) == 1.0, "nor is there a hole then"
        # Until its last block would read what lies behind the end.
        readable = [math.floor((end + 1 - ratio - frame) / ratio + 1e-6) for frame in left]
        assert faded == [max(0, min(fade, own)) for fade, own in zip(reader.fades, readable, strict=True)]


def test_at_the_end_of_a_stretch_the_next_one_is_there_at_once(reader):
    reading = Reading(reader, 63)
    reading.play(19)
    assert {state.frame for state in reading.playing} == {float(reader.memory.final[63])}
    reading.jump(3, *range(V))
    reading.step()
    assert all(state.old < 0 for state in reading.playing)
    again = reading.play(4)
    frame = int(reading.playing[0].frame) - 3
    assert torch.allclose(again, recorded(reader, frame, 4), atol=1e-5)


@pytest.mark.parametrize("name", [name for name in NAMES if name != NAMES[DRUMS]])
def test_a_jump_while_another_fades_lets_the_louder_place_fade_on_from_where_it_is(reader, name):
    v, fade = NAMES.index(name), reader.fades[NAMES.index(name)]
    step = 0.5 * math.pi / (fade + 1)
    for blocks in range(1, fade):
        reading = Reading(reader, 5)
        reading.play(30)
        reading.jump(20, v)
        reading.play(blocks)
        state = reading.playing[v]
        places = {False: (state.frame, reader.weight(v, state, False)), True: (state.old, reader.weight(v, state, True))}
        reading.jump(40, v)
        reading.step()
        # In this block each would have been another step further.
        louder = 2 * (blocks + 1) > fade + 1
        frame, weight = places[not louder]
        assert state.old == frame + 1 and abs(reader.weight(v, state, True) - weight) <= step + 1e-9, blocks
        assert weight >= places[louder][1] - step
        assert abs(reader.weight(v, state, False) - places[louder][1]) <= step + 1e-9, "the new place has the quieter one's weight"
        assert reader.weight(v, state, False) ** 2 + reader.weight(v, state, True) ** 2 == pytest.approx(1)
        weights = [reader.weight(v, state, True)]
        while state.old >= 0:
            reading.step()
            weights.append(reader.weight(v, state, True))
        assert weights == sorted(weights, reverse=True) and weights[-1] == 0.0


def test_the_place_that_fades_sounds_on_as_if_there_had_been_no_second_jump(reader):
    """Where both that it jumps to are silent."""
    v = NAMES.index("harmony")
    kept = reader.memory.frames.clone()
    gains = [float(u == v) for u in range(V)]
    try:
        reader.memory.frames[int(reader.memory.first[20]) : int(reader.memory.first[23])] = 0
        reader.memory.frames[int(reader.memory.first[40]) : int(reader.memory.first[43])] = 0
        heard = []
        for twice in (False, True):
            reading = Reading(reader, 5)
            reading.play(30, gains)
            reading.jump(20, v)
            audio = reading.play(3, gains)
            if twice:
                reading.jump(40, v)
            heard.append(torch.cat([audio, reading.play(9, gains)], 1))
        assert torch.allclose(heard[0], heard[1], atol=1e-6) and float(heard[0].abs().max()) > 0.03
    finally:
        reader.memory.frames.copy_(kept)


@pytest.mark.parametrize("speed", [0.5, 1.0, 1.07, 2.0])
def test_of_another_piece_nothing_is_heard_where_one_ends(reader, speed):
    """The other one is loud, this one silent."""
    kept = reader.memory.frames.clone()
    end = int(reader.memory.first[63] + reader.memory.length[63]) - 1
    reader.memory.frames[: end + 1] = 0
    try:
        reading = Reading(reader, 61, speed)
        while reading.at < 64:
            assert not reading.step().any(), reading.at
        reading.at = 3.0 + reading.at - 64
        for state in reading.playing:
            state.slot, state.since = 3, 0
        assert not reading.play(20).any()
    finally:
        reader.memory.frames.copy_(kept)


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
    assert float((power * hz).sum() / power.sum()) == pytest.approx(440 * ratio, rel=0.025)


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
