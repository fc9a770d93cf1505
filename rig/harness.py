"""`noizestream` as a process on a JACK server without hardware, and an instrument that plays and records."""

import contextlib
import json
import os
import pty
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rig.jack_server import RATE, JackServer
from rig.waiting import PATIENCE_S

HERE = Path(__file__).resolve().parent


@dataclass
class Heard:
    """What the instrument recorded: `audio` [n, 2] float32, `sent` frames (places in `audio`) of its messages.

    `gaps` counts the holes where the instrument itself was late, `xruns` what the server reported.
    """

    audio: np.ndarray
    sent: np.ndarray
    gaps: int
    xruns: int
    rate: int

    @property
    def whole(self) -> bool:
        """Whether all that was played is there: neither the server nor the instrument was late."""
        return self.gaps == self.xruns == 0

    def step(self) -> float:
        """Largest step between neighbouring samples."""
        return float(np.abs(np.diff(self.audio, axis=0)).max(initial=0.0))


@dataclass
class Run:
    """A finished `noizestream`: exit code, what it printed, its `--stats`, what was heard."""

    code: int
    out: str
    err: str
    stats: dict[str, Any]
    heard: Heard | None
    seconds: float


class Terminal:
    """A pseudo-terminal for a process to write to; what it wrote is in `text`. `slave` is its end."""

    def __init__(self) -> None:
        self._master, self.slave = pty.openpty()
        self.text = ""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # both ends are closed
            while True:
                self.text += os.read(self._master, 65536).decode(errors="replace")


def start(
    arguments: list[str], environment: dict[str, str], busy: bool = False, terminal: Terminal | None = None
) -> subprocess.Popen:
    """Start `noizestream arguments`, with a busy Python thread inside if `busy`, writing to `terminal` where there is one."""
    program = [str(HERE / "busy_play.py")] if busy else ["-m", "noizestream.cli"]
    return subprocess.Popen(
        [sys.executable, *program, *arguments],
        env=environment | ({"TERM": "xterm", "COLUMNS": "160"} if terminal else {}),
        stdin=subprocess.DEVNULL,
        stdout=terminal.slave if terminal else subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def play(
    server: JackServer,
    folder: Path,
    arguments: list[str],
    events: list[tuple[float, list[int]]] | None = None,
    settle_s: float = 1.0,
    limit_s: float = PATIENCE_S,
    busy: bool = False,
    stop: Callable[[subprocess.Popen], None] | None = None,
    terminal: Terminal | None = None,
    listen: bool = True,
) -> Run:
    """Run `noizestream play arguments` with the instrument beside it. `stop` is handed the process to end it early.

    Without `listen` nothing is recorded: for runs that are too long to be kept in memory.
    """
    plan, recording, stats = folder / "plan.json", folder / "heard.npz", folder / "stats.json"
    for earlier in (recording, stats):
        earlier.unlink(missing_ok=True)
    plan.write_text(json.dumps({"settle_s": settle_s, "events": events or [], "limit_s": limit_s, "listen": listen}))
    instrument = subprocess.Popen(
        [sys.executable, str(HERE / "instrument.py"), str(plan), str(recording)],
        env=server.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    process = None
    try:
        wait_for_instrument(server)
        began = time.monotonic()
        process = start(["play", *arguments, "--stats", str(stats)], server.environment, busy, terminal)
        if stop is not None:
            stop(process)
        out, err = process.communicate(timeout=limit_s)
        seconds = time.monotonic() - began
        if process.returncode not in (0, 130):  # it never sounded: the instrument would wait for it
            return Run(process.returncode, terminal.text if terminal else out, err, {}, None, seconds)
        _, problems = instrument.communicate(timeout=limit_s)
    finally:
        for child in (process, instrument):
            if child is not None and child.poll() is None:
                child.kill()
                child.wait()
    if instrument.returncode != 0:
        raise RuntimeError(problems.decode())
    heard = None
    if recording.exists():
        with np.load(recording) as data:
            audio, times, period, sent = (data[key] for key in ("audio", "times", "period", "sent"))
            gaps, xruns = int(data["gaps"]), int(data["xruns"])
        # A period the instrument missed itself is silence: the places of the others stay true.
        whole = np.zeros((int(times[-1] - times[0]) + int(period), 2), np.float32)
        whole[((times - times[0])[:, None] + np.arange(period)).ravel()] = audio
        heard = Heard(whole, sent - times[0], gaps, xruns, server.rate)
    found = json.loads(stats.read_text()) if stats.exists() else {}
    return Run(process.returncode, terminal.text if terminal else out, err, found, heard, seconds)


def wait_for_instrument(server: JackServer) -> None:
    """Return once the instrument's MIDI port is there, so that `play` finds it."""
    probe = (
        "import jack, sys, time\n"
        f"client = jack.Client('probe', no_start_server=True, servername={server.name!r})\n"
        "for _ in range(6000):\n"
        "    if client.get_ports('instrument:keys'): sys.exit(0)\n"
        "    time.sleep(0.01)\n"
        "sys.exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", probe], env=server.environment, capture_output=True, check=True)


def changes(heard: Heard, tones: list[float], rate: int = RATE) -> list[float]:
    """Seconds from each message, a change from one pure tone to the next of `tones` [Hz], to the first sample of the new tone.

    A steady sine fulfils x[n] = 2 cos(w) x[n-1] - x[n-2]; the first sample that does not is the first of something else.
    """
    wave = heard.audio[:, 0].astype(np.float64)
    found = []
    for number, when in enumerate(heard.sent):
        omega = 2 * np.pi * tones[number] / rate
        until = heard.sent[number + 1] if number + 1 < len(heard.sent) else len(wave)
        part = wave[when - 2 : until]
        residue = np.abs(part[2:] - 2 * np.cos(omega) * part[1:-1] + part[:-2])
        places = np.flatnonzero(residue > 5e-6)
        found.append(float(places[0]) / rate if len(places) else float("inf"))
    return found
