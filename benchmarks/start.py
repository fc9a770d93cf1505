"""From Enter to the first sound of `noizestream play`, and to the end of `noizestream --help`.

    python benchmarks/start.py [MODEL] [--times 5]

Both as a person starts them, in processes of their own, `--times` each. `play` plays on a dummy JACK server, where a second client
listens for the first sample that is not 0. The first start after an installation takes longer: numba compiles, the disk is read.
"""

import argparse
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from noizestream.modelfile import archive  # noqa: E402
from rig.jack_server import JackServer  # noqa: E402

COMMAND = [sys.executable, "-m", "noizestream.cli"]
PATIENCE_S = 120.0


def listen(server: JackServer) -> threading.Event:
    """An event that is set at the first sound of whatever PortAudio port appears; cleared, it waits for the next."""
    import jack

    jack.set_error_function(lambda line: None)  # that the server ends is no error
    client = jack.Client("start", no_start_server=True, servername=server.name)
    ear, heard = client.inports.register("in"), threading.Event()

    @client.set_process_callback
    def process(frames: int) -> None:
        if not heard.is_set() and np.frombuffer(ear.get_buffer(), np.float32).any():
            heard.set()

    def connect() -> None:
        while True:
            try:
                for port in client.get_ports(name_pattern="PortAudio:out_0", is_output=True):
                    if not ear.is_connected_to(port):
                        client.connect(port, ear)
            except jack.JackError:  # it went meanwhile
                pass
            time.sleep(0.005)

    client.activate()
    threading.Thread(target=connect, daemon=True).start()
    return heard


def play(server: JackServer, model: Path, heard: threading.Event) -> float:
    """Seconds until it sounds."""
    heard.clear()
    began = time.monotonic()
    process = subprocess.Popen(
        [*COMMAND, "play", str(model), "--headless", "--seconds", "1"],
        cwd=ROOT,
        env=server.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    sounds = heard.wait(PATIENCE_S)
    taken = time.monotonic() - began
    _, said = process.communicate()
    if process.returncode or not sounds:
        sys.exit(said or "it never sounded")
    return taken


def show_help() -> float:
    """Seconds until all is printed."""
    began = time.monotonic()
    subprocess.run([*COMMAND, "--help"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", help="model file (default: the bundled one)")
    parser.add_argument("--times", type=int, default=5)
    asked = parser.parse_args()
    model = archive.find_model(asked.model).resolve()
    with JackServer(f"noizestream-start-{os.getpid()}") as server:
        heard = listen(server)
        for name, seconds in (
            ("--help", [show_help() for _ in range(asked.times)]),
            ("play, to the first sound", [play(server, model, heard) for _ in range(asked.times)]),
        ):
            median, longest = statistics.median(seconds), max(seconds)
            print(f"{name:26} median {median:.2f} s, longest {longest:.2f} s ({asked.times} times)", flush=True)


if __name__ == "__main__":
    main()
    # Not by way of the client's end: JACK stops its thread wherever it is, even in the callback, which then holds the GIL for ever.
    os._exit(0)
