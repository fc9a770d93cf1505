"""A JACK server without hardware, under a name of its own, so that several can run beside each other.

JACK keeps a list of its servers in shared memory, with room for eight. One that was killed stays on it until a server of the same
name starts again, whatever run it was of: after eight of them no server starts on that machine. So ours end with the run that
started them, however that ends, and where the list is full, what the dead have left on it is cleared. Names end with the number
of that run's process, or with it and a word: one that was killed by a run that still goes on is that run's own to start again.
"""

import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rig.waiting import PATIENCE_S

RATE, PERIOD = 48000, 256
END_S = 60.0
"""One that has not ended on request after so long is killed."""
SHARED = Path("/dev/shm")
FULL = "Too many servers"


class JackServer:
    """`jackd --no-realtime -d dummy`, as a context manager. `environment` leads libjack to it, and to no other."""

    def __init__(self, name: str, period: int = PERIOD, rate: int = RATE, channels: int = 2):
        self.name, self.period, self.rate, self.channels = name, period, rate, channels
        self.environment = os.environ | {"JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1", "JACK_NO_AUDIO_RESERVATION": "1"}

    def __enter__(self) -> "JackServer":
        said = self._start()
        if FULL in said:
            clear_dead_servers()
            said = self._start()
        if said:
            raise RuntimeError(f"jackd does not start: {said}")
        return self

    def kill(self) -> None:
        """End it without a word, as a crash does; it can be entered again."""
        self._process.kill()
        self._process.wait()

    def __exit__(self, *_: object) -> None:
        if self._process.poll() == -signal.SIGKILL:
            self._start()  # only one of the same name frees its place on the list
        self._process.terminate()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.kill()
        for left in [*SHARED.glob(f"jack_{self.name}_*"), *SHARED.glob(f"jack_sem.*_{self.name}_*")]:
            left.unlink(missing_ok=True)

    def _start(self) -> str:
        """Start it and return once it takes clients; what it said if it does not."""
        with tempfile.TemporaryFile("w+") as said:
            self._process = jackd(self.name, self.rate, self.period, self.channels, said)
            probe = f"import jack; jack.Client('probe', no_start_server=True, servername={self.name!r}).close()"
            end = time.monotonic() + PATIENCE_S
            while time.monotonic() < end and self._process.poll() is None:
                answer = subprocess.run([sys.executable, "-c", probe], env=self.environment, capture_output=True, check=False)
                if answer.returncode == 0:
                    return ""
            if self._process.poll() is None:
                self.kill()
            said.seek(0)
            return said.read() or "it says nothing"


def jackd(name: str, rate: int, period: int, channels: int, said: object) -> subprocess.Popen:
    """Start one; it ends with this process."""
    shape = ["-r", str(rate), "-p", str(period), "-P", str(channels)]
    command = [str(shutil.which("jackd")), "--name", name, "--no-realtime", "-d", "dummy", *shape]
    return subprocess.Popen(
        command,
        env=os.environ | {"JACK_NO_AUDIO_RESERVATION": "1"},
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=subprocess.STDOUT,
        preexec_fn=_end_with_parent,
    )


def _end_with_parent() -> None:
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def clear_dead_servers() -> None:
    """Take the servers that were killed off JACK's list: each is started once more under its name, and ended properly."""
    listed = (SHARED / "jack-shm-registry").read_bytes()
    for entry in re.finditer(rb"jack-\d+:([^\0:]+):?\0", listed):
        pid = int.from_bytes(listed[entry.start() - 4 : entry.start()], sys.byteorder)
        owners = [number for part in entry[1].decode().split("-") if (number := part).isdigit()]
        if not any(Path(f"/proc/{number}").exists() for number in [str(pid), *owners]):
            again = jackd(entry[1].decode(), RATE, PERIOD, 2, subprocess.DEVNULL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                again.wait(1)
            again.terminate()
            again.wait(END_S)
