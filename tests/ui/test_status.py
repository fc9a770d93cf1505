"""The status line and the summary."""

from dataclasses import replace

import pytest

from noizestream.session.status import SessionStatus
from noizestream.ui.status import StatusLine, line, meter, noted, summary
from tests.ui.statuses import STATUS


def status(controls: dict[str, float], **changes: object) -> SessionStatus:
    """`STATUS` with other values of `controls`, and other fields."""
    return replace(STATUS, controls=STATUS.controls | controls, **changes)


@pytest.mark.parametrize("width", [1, 20, 40, 79, 100, 200])
def test_never_longer_than_the_screen(width):
    assert len(line(STATUS, width)) <= width


def test_says_it_all_where_there_is_room():
    text = line(STATUS, 120)
    for part in ("Jazz", "temp 1.00", "tempo own", "vol", "ring  38 ms", "load  12 %", "underruns 0"):
        assert part in text


def test_genre_and_temperature_and_underruns_go_last():
    assert line(STATUS, 45).split("   ") == ["▶ Jazz", "temp 1.00", "underruns 0"]


def test_columns_stand_still():
    values = {"temperature": 0.05, "tempo": 120.0, "volume": -12.0}
    other = status(values, peak=0.9, ring_ms=7.0, load=1.02, underruns=3)
    assert len(line(other, 120)) == len(line(STATUS, 120))


def test_a_model_without_tempo_shows_none():
    controls = {name: value for name, value in STATUS.controls.items() if name != "tempo"}
    assert "tempo" in line(STATUS, 120) and "tempo" not in line(replace(STATUS, controls=controls), 120)


def test_a_volume_at_its_least_is_off_and_mute_is_noted():
    assert "vol    off" in line(status({"volume": -60.0}), 120)
    assert noted(STATUS.controls) == [] and noted(STATUS.controls | {"mute": 1.0}) == ["muted"]


def test_what_is_changed_is_shown_at_the_end_where_the_other_columns_do_not_mind():
    text = line(status({}, changed=("chord Am", "drums_mute")), 160)
    assert text == line(STATUS, 160) + "   chord Am, drums_mute"


def test_what_one_should_know_besides_stands_beside_the_genre():
    other = replace(STATUS.metadata, name="other")
    all_of_it = status({"mute": 1.0}, playing=False, loading="fma", midi_errors=2, recording=True, models=(STATUS.metadata, other))
    assert line(all_of_it, 200).startswith("▶ foreign: Jazz [no device, loading fma, muted, MIDI errors 2, rec]   ")
    assert line(STATUS, 200).startswith("▶ Jazz   ")


def test_a_volume_that_is_silence_is_off():
    assert "vol    off" in line(status({"volume": -60.0}), 200) and "vol +0 dB" in line(STATUS, 200).replace("  +", " +")


@pytest.mark.parametrize(("peak", "filled"), [(0.0, 0), (1e-9, 0), (10 ** (-24 / 20), 6), (1.0, 12), (4.0, 12)])
def test_meter_is_in_decibels(peak, filled):
    assert meter(peak, 12) == "█" * filled + "·" * (12 - filled)


def test_silent_where_stdout_is_no_terminal(capsys):
    with StatusLine() as screen:
        screen.show(STATUS)
    assert capsys.readouterr().out == ""


def test_what_happened_is_said_and_what_did_not_is_not():
    counts = {
        "blocks": 1,
        "midi_messages": 0,
        "midi_ignored": 0,
        "underruns": 0,
        "device_underflows": 0,
        "resets": 0,
        "seconds": 1.0,
    }
    counts |= {"missed_ms": 0.0, "budget_ms": 10.0, "load": 0.1, "step_ms": {"p50": 1, "p95": 1, "p99": 1, "max": 1}}
    assert "lost" not in "\n".join(summary(counts | {"device_losses": 0, "recorded_s": None}))
    text = "\n".join(summary(counts | {"device_losses": 2, "worker_restarts": 1, "recorded_s": 3.0, "record_lost_ms": 20.0}))
    assert "MIDI messages that failed 3" in "\n".join(summary(counts | {"midi_errors": 3, "recorded_s": None}))
    assert "OSC" not in text
    osc = {"osc_messages": 9, "osc_refused": 2, "recorded_s": None}
    assert "9 OSC messages (2 refused)" in summary(counts | osc)
    assert "device lost 2, worker restarted 1" in text and "recorded 3.0 s" in text and "20 ms" in text


def test_summary_names_our_underruns_apart_from_the_servers():
    counts = {"blocks": 5625, "midi_messages": 6000, "midi_ignored": 2, "underruns": 1, "device_underflows": 7, "resets": 0}
    times = {"seconds": 60.0, "missed_ms": 12.0, "budget_ms": 10.667, "load": 0.03}
    text = "\n".join(summary(counts | times | {"step_ms": {"p50": 0.3, "p95": 0.4, "p99": 0.5, "max": 4.4}}))
    assert "underruns 1" in text and "server 7" in text and "6000 MIDI" in text
