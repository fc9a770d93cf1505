"""Dropouts of `noizestream play` under load, on a dummy JACK server.

    python benchmarks/dropouts.py [MODEL ...] [--seconds 60] [--latency default] [--period 256] [--idle]

`play` for `--seconds` with its status display on, 200 MIDI messages a second over JACK, a change of genre each second among them
and, with several models, of the model every 5 seconds, and a busy Python thread in its main process (--idle: none). Our underruns
must be 0; periods that the server itself was late with, and what the other JACK client saw of it, are shown apart. How late a
control is heard: benchmarks/latency.py.
"""

import argparse
import os
import runpy
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rig.harness import Terminal, play  # noqa: E402
from rig.jack_server import JackServer  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="model files (default: the sine model)")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--latency", default="default", help="as in `play --latency`")
    parser.add_argument("--period", type=int, default=256, help="of the JACK server, in frames")
    parser.add_argument("--idle", action="store_true", help="without the busy thread")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sine = folder / "sine.ts"
        runpy.run_path(str(ROOT / "examples" / "sine_model.py"), run_name="sine_model")["write"](str(sine))
        with JackServer(f"noizestream-bench-{os.getpid()}", asked.period) as server:
            print(f"load average before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
            arguments = [*(asked.models or [str(sine)]), "--latency", asked.latency, "--seconds", str(asked.seconds)]
            terminal = Terminal()
            run = play(
                server,
                folder,
                arguments,
                flood(asked.seconds - 2, len(asked.models)),
                limit_s=asked.seconds + 90,
                busy=not asked.idle,
                terminal=terminal,
                listen=False,
            )
            if run.code != 0:
                sys.exit(f"play ended with {run.code}: {run.err or run.out}")
            stats, step = run.stats, run.stats["step_ms"]
            kept = f"{stats['ring_ms']:.1f} ms kept ready (--latency {asked.latency})"
            print(f"played {stats['seconds']:.1f} s, periods of {asked.period}, {kept}")
            print(f"underruns of ours {stats['underruns']} ({stats['missed_ms']:.0f} ms of silence)")
            late = f"{stats['device_underflows']} seen by play, {run.heard.xruns} by the other client"
            print(f"late cycles of the server's own: {late}")
            print(
                f"MIDI: {len(run.heard.sent)} messages sent, {stats['midi_messages']} heard (a late server loses its own); "
                f"RtMidi crashed {stats['midi_restarts']} times"
            )
            print(f"step ms: p50 {step['p50']}, p99 {step['p99']}, max {step['max']} of {stats['budget_ms']}; load {stats['load']}")


def flood(seconds: float, models: int) -> list[tuple[float, list[int]]]:
    """200 messages a second: the temperature goes up and down, each second another genre, every 5 seconds another model."""
    events = []
    for number in range(int(200 * seconds)):
        second, part = divmod(number, 200)
        message = [0xB0, 1, abs(number % 254 - 127)]
        if part == 0:
            message = [0xC0, second % 6]
        elif part == 100 and second % 5 == 0 and models > 1:
            message = [0xB0, 0, second // 5 % models]
        events.append((number / 200, message))
    return events


if __name__ == "__main__":
    main()
