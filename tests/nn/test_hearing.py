"""What a player makes of audio: codes of the memory, nats of a slot spread over its blocks, a state to go on from."""

import pytest
import torch

from noizestream.nn.spectral import SpectralFront
from noizestream.nn.unit_state import layers_of, moment_of, unpack
from noizestream.training.export.script import script
from rig.made_up import Performance, player

RATE, BLOCK, SLOTS = 16000, 128, 64
GENRE = torch.tensor([1.0, 0.0])


@pytest.fixture(scope="module", params=[1, 2], ids=["mono", "stereo"])
def made(request):
    return player(SpectralFront(RATE, BLOCK, request.param), slots=SLOTS)


def noise(made, blocks: int) -> torch.Tensor:
    return 0.1 * torch.randn(made.channels, blocks * BLOCK, generator=torch.Generator().manual_seed(0))


@torch.inference_mode()
def test_shapes_are_those_of_the_contract(made):
    audio = noise(made, 50)
    z, bands = made.encode(audio)
    assert z.shape == (47, made.layers.size) and bands.shape == (47, made.layers.tones)
    nats, means = made.score(audio, GENRE)
    assert nats.shape == (47,) and means.shape == bands.shape and bool(torch.isfinite(means).all()) and float(nats.min()) > 0
    assert made.reconstruct(audio).shape == audio.shape
    for short in (audio[:, :0], audio[:, : 3 * BLOCK]):
        assert made.encode(short)[0].shape[0] == 0 and made.score(short, GENRE)[0].shape == (0,)
        assert made.reconstruct(short).shape == short.shape
    one = torch.randn(1, 20 * BLOCK)
    assert made.reconstruct(one).shape == one.shape


@torch.inference_mode()
def test_slots_of_heard_music_are_named_by_the_nearest_codes(made):
    memory, hearing = made.memory, made.hearing
    code, genre = torch.arange(3), 1
    first = memory.code_first[genre]
    patch = memory.book[first : first + 3].float().view(3, 3, -1)
    z = patch.repeat_interleave(4, 1).flatten(0, 1)  # a slot of 12 frames each
    found = hearing.slotted(z, 7.0 + torch.arange(36, dtype=torch.float64) / 48, genre)
    assert found.first.tolist() == [0, 12, 24, 36] and found.number.tolist() == [28, 29, 30]
    assert torch.equal(found.codes, (code + first).unsqueeze(1).expand(3, made.count))


@torch.inference_mode()
def test_the_nats_of_a_slot_are_spread_over_its_blocks_and_the_clock_is_the_one_given(made):
    audio = noise(made, 60)
    beat = torch.arange(60, dtype=torch.float64) / 40  # ten blocks a slot; a frame's middle lies two blocks behind its beginning
    nats, _ = made.score_at(audio, GENRE, beat)
    assert [t for t in range(1, 57) if nats[t] != nats[t - 1]] == [8, 18, 28, 38, 48]
    assert torch.equal(nats, made.score_at(audio, GENRE, beat[:57])[0]), "the beat goes on evenly where it is not told"
    other, _ = made.score_at(audio, GENRE, beat + 3.5)
    assert not torch.allclose(nats, other), "another place of the bar"
    own, _ = made.score(audio, GENRE)  # 18.75 blocks are a slot at 100 BPM
    assert [t for t in range(1, 57) if own[t] != own[t - 1]] == [17, 36, 55]


@torch.inference_mode()
def test_the_prediction_is_the_last_frame_but_where_a_third_begins(made):
    audio = noise(made, 60)
    _, bands = made.encode(audio)
    _, means = made.score_at(audio, GENRE, torch.arange(60, dtype=torch.float64) / 48)  # slots of 12 blocks
    still = [bool(torch.equal(means[t], bands[t - 1])) for t in range(1, 57)]
    whole = range(10, 46)  # the first slot is cut: the first frame's middle lies two blocks within it
    assert [t for t in whole if not still[t - 1]] == [t for t in whole if (t - 10) % 12 in (4, 8)]


def played(made, slot: int, blocks: int) -> torch.Tensor:
    """The last `blocks` blocks of what the memory sounds like up to the end of `slot`."""
    last = int(made.memory.first[slot] + made.memory.length[slot])
    return made.reader.codec.stream(made.memory.frames[:last])[:, (last - blocks) * BLOCK : last * BLOCK]


@torch.inference_mode()
@pytest.mark.parametrize("slot", [5, 37, 60, 2 * SLOTS - 2])
def test_after_hearing_it_goes_on_where_in_the_memory_it_sounded_like_that(made, slot):
    audio = played(made, slot, 90)
    assert made.places(made.prime(audio, GENRE)).tolist() == [slot] * made.count
    elsewhere = made.places(made.prime(audio, torch.tensor([0.0, 1.0])))
    assert all(2 * SLOTS <= place < 4 * SLOTS for place in elsewhere.tolist()), "of the genre that is asked for"


@torch.inference_mode()
def test_what_was_heard_goes_on_to_the_sample_as_it_did(made):
    slot = 39  # the next one begins with a frame
    memory, codec = made.memory, made.reader.codec
    first = int(memory.first[slot + 1])
    whole = codec.stream(memory.frames[: first + 20])
    performance = Performance(made, temperature=0.0)
    performance.state = made.prime(whole[:, : first * BLOCK], GENRE)
    expected = whole[:, first * BLOCK : (first + 15) * BLOCK]
    assert torch.allclose(performance.play(15), expected, atol=1e-5), "without a joint"


@torch.inference_mode()
def test_a_primed_state_goes_on_at_once_and_is_the_same_every_time(made):
    audio = noise(made, 200)
    state, again = made.prime(audio, GENRE), made.prime(audio, GENRE)
    assert all(torch.equal(a, b) for a, b in zip(state, again, strict=True))
    fresh = made.initial_state()
    assert [part.shape for part in state] == [part.shape for part in fresh] and [p.dtype for p in state] == [p.dtype for p in fresh]
    heard = unpack(state)
    beat, first = moment_of(heard.moment).beat, layers_of(heard.layers)[0]
    slots = int(beat * 4)
    assert beat == pytest.approx(200 * 100 * made.beats_per_bpm, rel=1e-6)
    assert int((heard.codes[:, 0] < made.codes).sum()) == min(64, slots + 1)
    performance = Performance(made, temperature=0.0)
    performance.state = state
    performance.step()
    assert performance.places == [place + 1 for place in made.places(state).tolist()] or (first.slot + 1) % SLOTS == 0
    assert float(performance.play(50).abs().max()) > 0.001


@torch.inference_mode()
@pytest.mark.parametrize("blocks", [0, 2, 3, 4])
def test_hearing_next_to_nothing_is_a_beginning_too(made, blocks):
    performance = Performance(made)
    performance.state = made.prime(noise(made, blocks), GENRE)
    assert bool(torch.isfinite(performance.play(30)).all()) and min(performance.places) >= 0


@torch.inference_mode()
def test_scripted_it_answers_the_same(made):
    scripted, audio = script(made), noise(made, 150)
    assert torch.allclose(scripted.reconstruct(audio), made.reconstruct(audio), atol=1e-5)
    beat = torch.arange(150, dtype=torch.float64) / 40
    pairs = [
        (scripted.encode(audio), made.encode(audio)),
        (scripted.score_at(audio, GENRE, beat), made.score_at(audio, GENRE, beat)),
    ]
    pairs.append((scripted.prime(audio, GENRE), made.prime(audio, GENRE)))
    for one, other in pairs:
        assert all(torch.allclose(a, b, atol=1e-3) for a, b in zip(one, other, strict=True))


@torch.inference_mode()
def test_what_is_reconstructed_is_near_to_the_audio_and_begins_and_ends_with_it(made):
    time = torch.arange(100 * BLOCK + 77) / RATE
    audio = torch.stack([0.3 * torch.sin(2 * torch.pi * hz * time) for hz in (330.0, 440.0)])[: made.channels]
    again = made.reconstruct(audio)
    assert again.shape == audio.shape
    for part in (slice(None), slice(0, 3 * BLOCK), slice(-3 * BLOCK, None)):
        error = (again - audio)[:, part].square().mean() / audio[:, part].square().mean()
        assert float(error) < (0.008 if made.channels == 1 else 0.06), "sides have an error of their own"
