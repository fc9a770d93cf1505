"""What `play` shows: one calm line while it plays, one summary at the end."""

import math
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from noizestream.control.parameters import PARAMETERS
from noizestream.session.status import SessionStatus

FLOOR_DB = -48.0
"""The meter's left end."""


def meter(peak: float, width: int = 12) -> str:
    """A bar of `width` characters, FLOOR_DB to 0 dBFS."""
    level = 20 * math.log10(peak) if peak > 0 else -math.inf
    filled = round(width * min(max(1 - level / FLOOR_DB, 0.0), 1.0))
    return "█" * filled + "·" * (width - filled)


def noted(controls: Mapping[str, float]) -> list[str]:
    """Return the notes of the controls that have one, by name, and are not at their default."""
    return [row.note for row in PARAMETERS if row.note and controls.get(row.name, row.default) != row.default]


def cells(controls: Mapping[str, float]) -> list[tuple[int, str]]:
    """Return (rank, text) of the controls, by name, that have a column, in the table's order."""
    found = []
    for row in PARAMETERS:
        if (column := row.column) is not None and row.name in controls:
            value = controls[row.name]
            text = column.least if column.least and value <= row.minimum else row.form.format(value) + column.unit
            found.append((column.rank, f"{column.label} {text:>{column.width}}"))
    return found


def line(status: SessionStatus, width: int = 100) -> str:
    """Return the status line, at most `width` characters: what matters least is left out first. Columns do not jump about."""
    notes = _notes(status)
    parts = [
        (0, f"▶ {_genre(status)}" + (f" [{', '.join(notes)}]" if notes else "")),
        *cells(status.controls),
        (4, meter(status.peak)),
        (8, f"ring {status.ring_ms:3.0f} ms"),
        (7, f"load {100 * status.load:3.0f} %"),
        (2, f"underruns {status.underruns}"),
        (3, ", ".join(status.changed)),
    ]
    while True:
        text = "   ".join(text for _, text in parts if text)
        if len(text) <= width or len(parts) == 1:
            return text[:width]
        parts.remove(max(parts))


def _genre(status: SessionStatus) -> str:
    """The genre that plays, and its model where there are several."""
    return status.genre if len(status.models) == 1 else f"{status.metadata.name}: {status.genre}"


def _notes(status: SessionStatus) -> list[str]:
    """What one should know besides: `muted`, `loading fma`."""
    notes = [] if status.playing else ["no device"]
    notes += [f"loading {status.loading}"] if status.loading else []
    notes += noted(status.controls)
    notes += [f"MIDI errors {status.midi_errors}"] if status.midi_errors else []
    return notes + (["rec"] if status.recording else [])


def summary(statistics: Mapping[str, Any]) -> list[str]:
    """Return the final statistics as lines for a person."""
    step, budget = statistics["step_ms"], statistics["budget_ms"]
    late = statistics["device_underflows"]
    lines = [
        f"played {statistics['seconds']:.1f} s, {statistics['blocks']} blocks, {statistics['midi_messages']} MIDI messages"
        f" ({statistics['midi_ignored']} ignored)",
        f"underruns {statistics['underruns']} ({statistics['missed_ms']:.0f} ms of silence)"
        f", late periods reported by the audio server {late}, resets {statistics['resets']}",
        f"step ms: p50 {step['p50']:.2f}  p95 {step['p95']:.2f}  p99 {step['p99']:.2f}  max {step['max']:.2f}"
        f"  of {budget:.2f}  (load {100 * statistics['load']:.0f} %)",
    ]
    if statistics.get("osc_messages"):
        lines.append(f"{statistics['osc_messages']} OSC messages ({statistics['osc_refused']} refused)")
    rare = {
        "device_losses": "device lost",
        "midi_losses": "MIDI port lost",
        "midi_errors": "MIDI messages that failed",
        "osc_errors": "OSC messages that failed",
        "worker_restarts": "worker restarted",
    }
    happened = [f"{text} {statistics[key]}" for key, text in rare.items() if statistics.get(key)]
    if happened:
        lines.append(", ".join(happened))
    if statistics.get("recorded_s") is not None:
        lost = statistics["record_lost_ms"]
        lines.append(f"recorded {statistics['recorded_s']:.1f} s" + (f", the disk was too slow for {lost:.0f} ms" if lost else ""))
    return lines


class StatusLine:
    """Shows a line in place on the terminal, and nothing at all where stdout is none. A context manager: gone at the end."""

    def __init__(self, enabled: bool = True):
        self._live: Any = None
        if enabled and sys.stdout.isatty():
            from rich.live import Live

            self._live = Live("", auto_refresh=False, transient=True)

    def __enter__(self) -> "StatusLine":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def clear(self) -> None:
        """Take the line off the screen, so that another can be printed where it was."""
        if self._live is not None:
            self._live.update("", refresh=True)

    def show(self, status: SessionStatus) -> None:
        """Replace the line."""
        if self._live is not None:
            from rich.text import Text

            text = line(status, self._live.console.width - 1)
            self._live.update(Text(text, style="bold red" if status.underruns else "", no_wrap=True), refresh=True)
