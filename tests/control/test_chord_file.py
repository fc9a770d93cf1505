"""The chords of MIDI files."""

import random

import mido
import pytest

from noizestream.control.chord_file import is_file, read_chords
from noizestream.control.chords import name_of
from noizestream.errors import NoizestreamError

CADENCE = [("Am", (57, 60, 64)), ("F", (53, 57, 60)), ("C", (48, 52, 55)), ("G", (55, 59, 62))]


def write(path, chords=CADENCE, ticks=480, late=0, extra=(), type=1):
    """Chords of four beats, each key `late` ticks after the one before, and `extra` messages at the start."""
    track = mido.MidiTrack(extra)
    events = []
    for number, (_, notes) in enumerate(chords):
        for place, note in enumerate(notes):
            events.append((4 * ticks * number + late * place, "note_on", note))
            events.append((4 * ticks * (number + 1) - 8 + late * place, "note_off", note))
    now = 0
    for time, kind, note in sorted(events):
        track.append(mido.Message(kind, note=note, time=time - now))
        now = time
    file = mido.MidiFile(type=type, ticks_per_beat=ticks)
    file.tracks.append(track)
    file.save(path)
    return path


@pytest.mark.parametrize("ticks", [96, 480, 960])
@pytest.mark.parametrize("late", [0, 3])
def test_the_chords_that_are_held(tmp_path, ticks, late):
    schedule = read_chords(write(tmp_path / "cadence.mid", ticks=ticks, late=late))
    assert schedule.length == 16
    names = [name_of(schedule.at(beat + 0.2)) for beat in (0, 3, 4, 8, 12, 15, 16, 20)]
    assert names == ["Am", "Am", "F", "C", "G", "G", "Am", "F"]
    assert len(schedule.chords) == 4 and schedule.starts[0] == 0
    assert schedule.starts == pytest.approx([0, 4, 8, 12], abs=0.1)


def test_keys_that_are_let_go_by_all_notes_off(tmp_path):
    """As some sequencers end a bar: without a note-off for each."""
    track = mido.MidiTrack()
    for _, notes in (CADENCE[2], CADENCE[0]):
        track += [mido.Message("note_on", note=note, time=0) for note in notes]
        track.append(mido.Message("control_change", control=123, value=0, time=4 * 480))
    file = mido.MidiFile(ticks_per_beat=480)
    file.tracks.append(track)
    file.save(tmp_path / "off.mid")
    schedule = read_chords(tmp_path / "off.mid")
    assert [name_of(chord) for chord in schedule.chords] == ["C", "Am"] and schedule.length == 8


def test_drums_and_single_notes_name_nothing_and_the_bar_may_have_three_beats(tmp_path):
    drums = [mido.Message("note_on", channel=9, note=note, time=0) for note in (36, 42, 45)]
    waltz = mido.MetaMessage("time_signature", numerator=3, denominator=4, time=0)
    schedule = read_chords(write(tmp_path / "a.mid", CADENCE[:1], extra=[waltz, *drums]))
    assert schedule.length == 6 and set(schedule.chords) == {21}
    with pytest.raises(NoizestreamError, match="names no chord"):
        read_chords(write(tmp_path / "b.mid", [("", (60,)), ("", (64,))], extra=drums))


def test_before_the_first_chord_is_the_models_own(tmp_path):
    rest = mido.Message("note_on", channel=9, note=36, time=960)
    schedule = read_chords(write(tmp_path / "rest.mid", CADENCE[:1], extra=[rest]))
    assert [name_of(schedule.at(beat)) for beat in (0, 1.9, 2, 5)] == ["-", "-", "Am", "Am"]


def test_what_is_a_file(tmp_path):
    assert is_file("x/none.mid") and is_file("CADENCE.MIDI") and not is_file("Am:4 F:4")
    assert is_file(str(write(tmp_path / "unnamed")))


def test_damaged_files_are_one_line(tmp_path):
    path, chance = write(tmp_path / "good.mid"), random.Random(3)
    good = path.read_bytes()
    bad = tmp_path / "bad.mid"
    damaged = [
        b"",
        b"MThd",
        b"text",
        good[:30],
        bytes(100),
        good[:8] + b"\x00\x02" + good[10:],
        good[:12] + b"\xe7\x28" + good[14:],
    ]
    damaged += [bytes(chance.randrange(256) if chance.random() < 0.05 else byte for byte in good) for _ in range(100)]
    read = 0
    for data in damaged:
        bad.write_bytes(data)
        try:
            read_chords(bad)
            read += 1
        except NoizestreamError as error:
            assert "bad.mid" in str(error) and "\n" not in str(error)
    assert read < len(damaged)
    with pytest.raises(NoizestreamError, match=r"none\.mid.*No such file"):
        read_chords(tmp_path / "none.mid")
