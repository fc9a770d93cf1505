"""Does memory grow? `render` for an hour of music, and what `play` holds.

    python benchmarks/memory.py [MODEL] [--minutes 60] [--play-seconds 20]

Both run as a person runs them, in processes of their own, and are watched from outside twice a second. The growth of `render` is
what it holds near its end over what it held after the first minute of music. `play` plays on a dummy JACK server (left out where
there is no jackd); its processes share most of their code, so their proportional share (PSS) is added up where the system tells it,
apart from the memory that the JACK server made and shares with all its clients.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from noizestream.modelfile import archive  # noqa: E402
from noizestream.system import machine  # noqa: E402
from rig.jack_server import JackServer  # noqa: E402

WATCH_S = 0.5
BYTES_PER_SAMPLE = 3


def family(process: int) -> list[int]:
    """`process` and all that it has started, as far as Linux tells."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
    found = [process]
    for one in found:  # grows while it is read: children of children
        found += [child for child, parent in parents.items() if parent == one]
    return found


def share_mb(process: int) -> tuple[float, float]:
    """Proportional share of memory in MB, and that of the JACK server's own, which it shares with all its clients.

    Where the system does not tell: all of the process's memory, and 0.
    """
    held = {True: 0, False: 0}
    try:
        mappings = Path(f"/proc/{process}/smaps").read_text().splitlines()
    except OSError:
        return machine.resident_mb(process) or 0.0, 0.0
    of_server = False
    for line in mappings:
        first, *rest = line.split()
        if not first.endswith(":"):
            of_server = len(rest) > 4 and Path(rest[4]).name.startswith("jack")
        elif first == "Pss:":
            held[of_server] += int(rest[0])
    return held[False] / 1024, held[True] / 1024


def render(model: Path, minutes: float) -> None:
    """Render `minutes` of music and print how memory went."""
    metadata = archive.read_metadata(model)
    a_minute = 60 * metadata.sample_rate * metadata.channels * BYTES_PER_SAMPLE
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "hour.wav"
        command = [sys.executable, "-m", "noizestream.cli", "render", str(model), "-o", str(wav), "--seconds", str(60 * minutes)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        held: list[tuple[float, float]] = []
        while process.poll() is None:
            time.sleep(WATCH_S)
            written = sum(file.stat().st_size for file in Path(folder).iterdir()) / a_minute
            memory = machine.resident_mb(process.pid)
            if memory and written > 0:
                held.append((written, memory))
        print("render:", process.communicate()[0].strip().removeprefix(f"{wav}: "))
    if process.returncode or not held:
        sys.exit("the rendering failed")
    for mark in sorted({min(1.0, minutes / 4), minutes / 4, minutes / 2, minutes}):
        at, memory = next((sample for sample in held if sample[0] >= mark), held[-1])
        print(f"after {at:5.1f} min of music: {memory:6.1f} MB")
    settled = next((memory for at, memory in held if at >= min(1.0, minutes / 4)), held[0][1])
    at_the_end = max((memory for at, memory in held if at >= 0.9 * minutes), default=held[-1][1])
    print(f"growth over {minutes:g} min: {at_the_end - settled:+.1f} MB (largest {max(memory for _, memory in held):.1f} MB)")


def play(model: Path, seconds: float) -> None:
    """Play for `seconds` and print what every process holds."""
    with JackServer(f"noizestream-memory-{os.getpid()}") as server:
        command = [sys.executable, "-m", "noizestream.cli", "play", str(model), "--headless", "--seconds", str(seconds)]
        process = subprocess.Popen(
            command, cwd=ROOT, env=server.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        largest, servers, shares = 0.0, 0.0, {}
        while process.poll() is None:
            time.sleep(WATCH_S)
            held = {one: share_mb(one) for one in family(process.pid)}
            now = {one: own for one, (own, _) in held.items()}
            servers = max(servers, sum(server for _, server in held.values()))
            if sum(now.values()) > largest:
                largest, shares = sum(now.values()), now
        if process.returncode:
            sys.exit(process.communicate()[1])
    parts = ", ".join(f"{share:.0f}" for share in shares.values() if share >= 1)
    print(f"play, at most: {largest:.0f} MB in all (its processes: {parts} MB)")
    print(f"beside it, of the JACK server's own memory, which its clients map: {servers:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", help="model file (default: the bundled one)")
    parser.add_argument("--minutes", type=float, default=60.0, help="of music to render")
    parser.add_argument("--play-seconds", type=float, default=20.0)
    asked = parser.parse_args()
    model = archive.find_model(asked.model).resolve()
    render(model, asked.minutes)
    if shutil.which("jackd") is None:
        print("play: left out, jackd is not installed")
    else:
        play(model, asked.play_seconds)


if __name__ == "__main__":
    main()
