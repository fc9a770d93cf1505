"""What this machine is, as far as figures depend on it. Reads files of Linux where they are; needs no torch."""

import os
import platform
import subprocess
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any


def processor() -> str:
    """Return the processor's name, as the system has it."""
    for line in _lines("/proc/cpuinfo"):
        if line.lower().startswith(("model name", "hardware")):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def cores() -> int:
    """Return how many cores this process may use, at least 1."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def load_average() -> float | None:
    """Return how many processes wanted a core in the last minute, on average; None where the system does not say."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


def version(package: str) -> str | None:
    """Return the installed version of `package`, without importing it; None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def resident_mb(process: int) -> float | None:
    """Return the memory that the process with the id `process` holds, in MB; None where nobody can tell."""
    for line in _lines(f"/proc/{process}/status"):
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    try:
        told = subprocess.run(["ps", "-o", "rss=", "-p", str(process)], capture_output=True, text=True, check=True)
        return round(int(told.stdout) / 1024, 1)
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None


def processor_seconds(process: int) -> float | None:
    """Return the processor time that the process with the id `process` has used, in seconds; None where nobody can tell."""
    lines = _lines(f"/proc/{process}/stat")
    if not lines:
        return None
    user, system = lines[0].rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def started(process: int) -> int | None:
    """Return when the process with the id `process` was started, in ticks since the system was; None where nobody can tell.

    Ids are used again: with this one a process is told from a later one of the same id.
    """
    lines = _lines(f"/proc/{process}/stat")
    return int(lines[0].rsplit(")", 1)[1].split()[19]) if lines else None


def description() -> dict[str, Any]:
    """Return the machine and the versions that belong to every figure measured here, by name."""
    return {
        "date": date.today().isoformat(),
        "processor": processor(),
        "cores": cores(),
        "load_average": load_average(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": version("torch"),
        "noizestream": version("noizestream"),
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return []
