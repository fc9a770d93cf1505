"""MIDI messages from bytes, whole and in pieces, and back."""

import random
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from noizestream.control.midi_message import BY_STATUS, KINDS, REAL_TIME, MidiMessage, MidiStream, decode, encode


@st.composite
def messages(draw: st.DrawFn) -> MidiMessage:
    """Any message that there is."""
    kind = draw(st.sampled_from(KINDS))
    channel = draw(st.integers(0, 15)) if kind.on_channel else None
    number = draw(st.integers(0, 127)) if kind.length == 2 and not kind.wide else 0
    least = 1 if kind.name == "note_on" else 0
    value = draw(st.integers(least, 16383 if kind.wide else 127)) if kind.length else 0
    return MidiMessage(kind.name, channel, number, value)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """`data` cut at `cuts`, wherever they fall."""
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=20))
@example(b"\x90\x24\xf8\x64\x25\x00", [1, 2, 3, 4])
@example(b"\xf0\x01\x02\xf7\x03\xb0\x01", [2])
def test_no_bytes_raise_and_cuts_do_not_matter(data, cuts):
    stream = MidiStream()
    whole = MidiStream().feed(data)
    assert [message for piece in pieces(data, cuts) for message in stream.feed(piece)] == whole
    for message in whole:
        assert decode(encode(message)) == message, "in its ranges"
    assert decode(data) is None or decode(encode(decode(data))) == decode(data)


@given(st.lists(st.integers(-1000, 1000), max_size=50))
def test_numbers_that_are_no_bytes_are_skipped(data):
    for message in [*MidiStream().feed(data), *([] if decode(data) is None else [decode(data)])]:
        assert decode(encode(message)) == message


@given(messages())
def test_what_is_encoded_is_decoded_whole_and_from_a_stream(message):
    data = encode(message)
    assert decode(data) == message and MidiStream().feed(data) == [message]


@given(st.lists(messages(), max_size=20), st.integers(0, 2**32), st.booleans())
def test_running_status_real_time_and_sysex_change_nothing(sent, seed, running):
    """A status byte that is the one before is left out, clocks stand anywhere, a SysEx before any status byte."""
    chance, data, before, clocks = random.Random(seed), [], None, 0
    for message in sent:
        encoded = encode(message)
        if running and encoded[0] == before and before < 0xF0:
            encoded = encoded[1:]
        elif chance.random() < 0.3:
            before = None  # it ends running status, also where a real-time message comes next
            data += [0xF0, *(chance.randrange(128) for _ in range(chance.randrange(5))), *([0xF7] if chance.random() < 0.5 else [])]
        for byte in encoded:
            if chance.random() < 0.3:
                data.append(0xF8)
                clocks += 1
            data.append(byte)
            before = byte if 0x80 <= byte < REAL_TIME else before
    found = MidiStream().feed(data)
    clock = MidiMessage("clock")
    assert [message for message in found if message != clock] == [message for message in sent if message != clock]
    assert found.count(clock) == clocks + sent.count(clock)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([0x92, 60, 100], MidiMessage("note_on", 2, 60, 100)),
        ([0x92, 60, 0], MidiMessage("note_off", 2, 60, 0)),
        ([0x82, 60, 64], MidiMessage("note_off", 2, 60, 64)),
        ([0xA0, 36, 5], MidiMessage("poly_pressure", 0, 36, 5)),
        ([0xBF, 1, 127], MidiMessage("control_change", 15, 1, 127)),
        ([0xC3, 9], MidiMessage("program_change", 3, 0, 9)),
        ([0xD3, 9], MidiMessage("channel_pressure", 3, 0, 9)),
        ([0xE0, 0, 64], MidiMessage("pitch_bend", 0, 0, 8192)),
        ([0xE0, 127, 127], MidiMessage("pitch_bend", 0, 0, 16383)),
        ([0xF2, 1, 2], MidiMessage("song_position", None, 0, 257)),
        ([0xF8], MidiMessage("clock")),
        ([0xFA], MidiMessage("start")),
        ([0xFB], MidiMessage("continue")),
        ([0xFC], MidiMessage("stop")),
    ],
)
def test_the_table_is_that_of_the_standard(data, message):
    assert decode(data) == message == MidiStream().feed(data)[0]
    assert decode([*data, 0xFF]) == message, "what follows is not looked at"


@pytest.mark.parametrize(
    "data", [[], [60, 100], [0x90], [0x90, 60], [0x90, 60, 0xF8], [0xF0, 1, 0xF7], [0xF4], [0xF7], [0xF9], [0xFD]]
)
def test_what_is_no_whole_message_is_none(data):
    assert decode(data) is None


def test_every_status_byte_but_sysex_and_the_undefined_is_in_the_table_once():
    assert set(range(0x80, 0x100)) - set(BY_STATUS) == {0xF0, 0xF4, 0xF5, 0xF7, 0xF9, 0xFD}
    assert len({kind.name for kind in KINDS}) == len({kind.status for kind in KINDS}) == len(KINDS)


def test_a_message_of_the_system_ends_running_status_and_real_time_does_not():
    stream, note = MidiStream(), MidiMessage("note_on", 0, 36, 100)
    assert stream.feed([0x90, 36, 100, 0xF8, 36, 100]) == [note, MidiMessage("clock"), note]
    assert stream.feed([0xF6, 36, 100]) == [MidiMessage("tune_request")]
    assert stream.feed([0x90, 36, 100, 0xF0, 36, 100]) == [note] and stream.feed([36, 100, 0xF7, 36, 100]) == []


def test_a_message_that_is_cut_short_is_dropped_for_the_next():
    assert MidiStream().feed([0x90, 36, 0xB0, 1, 64]) == [MidiMessage("control_change", 0, 1, 64)]


@pytest.mark.parametrize(
    "message",
    [
        MidiMessage("note_on", 0, 60, 0),
        MidiMessage("note_on", None, 60, 1),
        MidiMessage("note_on", 16, 60, 1),
        MidiMessage("control_change", 0, 128, 1),
        MidiMessage("control_change", 0, 1, 128),
        MidiMessage("pitch_bend", 0, 0, 16384),
        MidiMessage("pitch_bend", 0, 0, -1),
        MidiMessage("program_change", 0, 1, 1),
        MidiMessage("clock", 0),
        MidiMessage("clock", value=1),
    ],
)
def test_what_is_out_of_range_is_not_encoded(message):
    with pytest.raises(ValueError, match="out of range"):
        encode(message)


def test_a_long_stream_of_random_bytes_is_read_to_its_end():
    chance, stream, count = random.Random(2), MidiStream(), 0
    for _ in range(200):
        count += len(stream.feed(chance.randbytes(500)))
    assert count > 10_000 and stream.feed([0x90, 36, 100]) == [MidiMessage("note_on", 0, 36, 100)]
