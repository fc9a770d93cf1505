"""What works on this machine apart from devices, line by line, each with the knob to turn where something does not.

Torch is asked in a process of its own: a broken one may end the process that imports it.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noizestream.errors import NoizestreamError
from noizestream.modelfile import archive
from noizestream.system import machine

OK, NOTE, BROKEN = "ok", "note", "BROKEN"

LIBRARIES = (
    "numpy",
    "scipy",
    "librosa",
    "soundfile",
    "soxr",
    "sounddevice",
    "python-rtmidi",
    "mido",
    "numba",
    "rich",
    "click",
)

ASK_TORCH = """
import json, torch
from noizestream.modelfile import precision
from noizestream.realtime.tuning import settle
print(json.dumps({"kernels": precision.int8_kernels(), "capability": torch.backends.cpu.get_cpu_capability()} | settle()))
"""

TORCH_TIMEOUT_S = 60


@dataclass(frozen=True)
class Finding:
    """One line of a report: `name` and what was found. Where `level` is not ok, `knob` says what to do."""

    name: str
    found: str
    level: str = OK
    knob: str = ""


def software() -> Iterator[Finding]:
    """Python, the system and the versions of what is installed."""
    supported = (3, 11) <= sys.version_info < (3, 13)
    found = f"{platform.python_version()}, {platform.platform()}"
    yield Finding("python", found, OK if supported else NOTE, "" if supported else "noizestream is tested on Python 3.11 and 3.12")
    missing = [name for name in LIBRARIES if machine.version(name) is None]
    installed = ", ".join(f"{name} {machine.version(name)}" for name in LIBRARIES if name not in missing)
    yield Finding("libraries", installed)
    if missing:
        yield Finding("missing", ", ".join(missing), NOTE, f"pip install {' '.join(missing)}")


def torch_works() -> Iterator[Finding]:
    """Whether torch imports, which int8 kernels it has, and whether the settings of the worker take hold."""
    version = machine.version("torch")
    if version is None:
        yield Finding("torch", "not installed", BROKEN, "pip install torch")
        return
    try:
        asked = subprocess.run(
            [sys.executable, "-c", ASK_TORCH], capture_output=True, text=True, timeout=TORCH_TIMEOUT_S, check=False
        )
        told: dict[str, Any] = json.loads(asked.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        lines = asked.stderr.strip().splitlines() if isinstance(error, ValueError) else [str(error)]
        yield Finding(
            "torch",
            f"{version} does not import: {(lines or ['it ends without a word'])[-1]}",
            BROKEN,
            "pip install --force-reinstall torch",
        )
        return
    yield Finding("torch", f"{version}, processor features used: {told['capability']}")
    if told["kernels"] == "none":
        yield Finding(
            "int8 kernels", "none", NOTE, "models play in float32, which costs more; another build of torch may have them"
        )
    else:
        yield Finding("int8 kernels", told["kernels"])
    if not told["denormals_flushed"]:
        yield Finding(
            "denormals", "are not flushed to zero", NOTE, "steps may become slow in silence; another build of torch may flush"
        )


def models() -> Iterator[Finding]:
    """The bundled models, and whether their metadata can be read."""
    bundled = archive.bundled_models()
    if not bundled:
        yield Finding("models", "none bundled", NOTE, "name a model file: noizestream play MODEL.ts")
    for name, path in bundled.items():
        try:
            metadata = archive.read_metadata(path)
        except NoizestreamError as error:
            yield Finding("model", str(error), NOTE, "reinstall noizestream, or play another model")
            continue
        block_ms = 1e3 * metadata.block_frames / metadata.sample_rate
        forms = ", ".join(archive.precisions(metadata))
        yield Finding(
            "model", f"{name}: {metadata.sample_rate} Hz, block {block_ms:.1f} ms, {len(metadata.genres)} genres, {forms}"
        )


def processor() -> Iterator[Finding]:
    """Cores and what else they do."""
    cores, load = machine.cores(), machine.load_average()
    few = "the worker needs one for itself: close other programs, or give this process more cores"
    yield Finding(
        "processor", f"{machine.processor()}, {cores} core{'s' * (cores > 1)}", OK if cores > 1 else NOTE, "" if cores > 1 else few
    )
    if load is not None:
        busy = load > 0.7 * cores
        yield Finding(
            "load",
            f"{load} on average",
            NOTE if busy else OK,
            "other programs keep the cores busy: close them while you play" if busy else "",
        )
    governors = sorted(
        {path.read_text().strip() for path in Path("/sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor")}
    )
    if governors:
        slow = governors != ["performance"]
        knob = "blocks are made in bursts, which other governors answer late: sudo cpupower frequency-set -g performance"
        yield Finding("governor", ", ".join(governors), NOTE if slow else OK, knob if slow else "")
    elif sys.platform == "linux":
        yield Finding("governor", "not shown (a virtual machine or a container)")


def linux_limits() -> Iterator[Finding]:
    """What the kernel lets this user do about time: real-time priority, locked memory, niceness."""
    if sys.platform != "linux":
        return
    import resource

    def limit(name: str) -> int:
        return resource.getrlimit(getattr(resource, name))[0]

    knob = "in /etc/security/limits.d/audio.conf: `@audio - {0}`; then sudo usermod -aG audio $USER, and log in again"
    rtprio, memlock, nice = limit("RLIMIT_RTPRIO"), limit("RLIMIT_MEMLOCK"), limit("RLIMIT_NICE")
    root = os.geteuid() == 0
    allowed = rtprio == resource.RLIM_INFINITY or rtprio >= 50 or root
    shown = "unlimited" if rtprio == resource.RLIM_INFINITY else str(rtprio)
    yield Finding("rtprio", shown, OK if allowed else NOTE, "" if allowed else "for the sound server, " + knob.format("rtprio 95"))
    enough = memlock == resource.RLIM_INFINITY or memlock >= 256 << 20 or root
    shown = "unlimited" if memlock == resource.RLIM_INFINITY else f"{memlock >> 10} kB"
    yield Finding(
        "memlock", shown, OK if enough else NOTE, "" if enough else "for the sound server, " + knob.format("memlock unlimited")
    )
    best = -20 if root or nice == resource.RLIM_INFINITY else 20 - nice
    knob = "the worker asks for -10: " + knob.format("nice -10")
    yield Finding("niceness", f"down to {best}", OK if best <= -10 else NOTE, "" if best <= -10 else knob)
    kernel = platform.version()
    yield Finding(
        "kernel",
        f"{platform.release()}{next((f', {word}' for word in ('PREEMPT_RT', 'PREEMPT_DYNAMIC', 'PREEMPT') if word in kernel), '')}",
    )
    memory = Path("/dev/shm")
    if memory.is_dir():
        left = os.statvfs(memory).f_bavail * os.statvfs(memory).f_frsize
        small = left < 8 << 20
        yield Finding(
            "shared memory",
            f"{left >> 20} MB free",
            BROKEN if small else OK,
            "the ring lives in /dev/shm: make room there" if small else "",
        )
