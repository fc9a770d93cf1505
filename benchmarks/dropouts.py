"""Dropouts and control-to-sound latency of `noizestream play` on a dummy JACK server, measured from outside.

    python benchmarks/dropouts.py [MODEL] [--seconds 60] [--latency default] [--period 256] [--idle]

First `play --headless` for `--seconds` with 100 control changes a second over JACK MIDI and a busy Python thread in its main
process (--idle: none): our underruns must be 0; what the server itself loses is shown apart. Then a pure tone
(examples/sine_model.py) with 40 program changes: a second JACK client records, and each change is timed from the MIDI event to the
first sample of the new tone.
"""

import argparse
import os
import runpy
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.live.harness import JackServer, changes, play  # noqa: E402

TONES = (220.0, 440.0, 880.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", help="model file (default: the sine model)")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--latency", default="default", help="as in `play --latency`")
    parser.add_argument("--period", type=int, default=256, help="of the JACK server, in frames")
    parser.add_argument("--idle", action="store_true", help="without the busy thread")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sine = folder / "sine.ts"
        runpy.run_path(str(ROOT / "examples" / "sine_model.py"), run_name="sine_model")["write"](str(sine))
        options = ["--headless", "--latency", asked.latency]
        with JackServer(f"noizestream-bench-{os.getpid()}", asked.period) as server:
            print(f"load average before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
            flood = [(number / 100, [0xB0, 1, number % 128]) for number in range(int(100 * (asked.seconds - 2)))]
            arguments = [asked.model or str(sine), *options, "--seconds", str(asked.seconds)]
            run = play(server, folder, arguments, flood, limit_s=asked.seconds + 90, busy=not asked.idle)
            if run.code != 0:
                sys.exit(run.err)
            print(run.out.rstrip())
            print(f"seen by the other JACK client: {run.heard.xruns} xruns of the server, {len(run.heard.sent)} messages sent")

            order = [number % 3 for number in range(1, 41)]
            keys = [(0.2537 * number, [0xC0, genre]) for number, genre in enumerate(order)]
            arguments = [str(sine), *options, "-g", "A", "-t", "0", "--seconds", str(0.2537 * len(keys) + 2)]
            run = play(server, folder, arguments, keys, limit_s=120)
            if run.code != 0:
                sys.exit(run.err)
            times = sorted(1e3 * seconds for seconds in changes(run.heard, [TONES[genre] for genre in [0, *order[:-1]]]))
            print(
                f"control to sound, {len(times)} program changes: median {statistics.median(times):.1f} ms"
                f", min {times[0]:.1f}, max {times[-1]:.1f}"
                f" (without the device's own latency; play says at most {run.stats['control_latency_ms']:.1f})"
            )


if __name__ == "__main__":
    main()
