"""Run every benchmark of speed and write what they print to docs/performance.md: `make bench`.

    python benchmarks/performance.py [--only speed,memory] [-o docs/performance.md]

Takes about half an hour; use the machine for nothing else meanwhile. A benchmark that fails is named, and nothing is written.
"""

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from noizestream.system import machine  # noqa: E402


@dataclass(frozen=True)
class Benchmark:
    """A section of the page: its title, what it shows, and the command line from the repository's root."""

    name: str
    title: str
    about: str
    command: tuple[str, ...]


UNDER_LOAD = "`play` on a dummy JACK server; what the server itself loses is shown apart."

BENCHMARKS = (
    Benchmark("bench", "What the bundled model costs", "docs/playing.md explains each line.", ("-m", "noizestream.cli", "bench")),
    Benchmark("speed", "A step, and its parts", "The same network in several forms, taking turns.", ("benchmarks/speed.py",)),
    Benchmark("agile", "A step of the agile preset", "Blocks of half the length.", ("benchmarks/speed.py", "--preset", "agile")),
    Benchmark("callback", "Who should step the model", "Each beside a busy Python thread.", ("benchmarks/callback.py",)),
    Benchmark("dropouts", "Dropouts under load", UNDER_LOAD, ("benchmarks/dropouts.py", "models/studio.ts", "--seconds", "600")),
    Benchmark(
        "low",
        "Dropouts under load, low latency",
        UNDER_LOAD,
        ("benchmarks/dropouts.py", "models/studio.ts", "--latency", "low", "--period", "128"),
    ),
    Benchmark("latency", "Control to sound", "From a MIDI message to the sound of it, over JACK.", ("benchmarks/latency.py",)),
    Benchmark("start", "From Enter to the first sound", "`play` on a dummy JACK server, and `--help`.", ("benchmarks/start.py",)),
    Benchmark("memory", "Memory", "An hour of `render`, and `play`.", ("benchmarks/memory.py",)),
)

INTRODUCTION = """# Performance

Written by `make bench` (`python benchmarks/performance.py`); each section is what its command printed. The figures are of one
machine on one day, and other work on it counts in: compare ratios rather than milliseconds. `noizestream bench` gives yours.

- {date}, {processor}, {cores} cores, {system}, no sound device
- Python {python}, torch {torch}, noizestream {noizestream}, commit {commit}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="A,B", help=f"of {', '.join(benchmark.name for benchmark in BENCHMARKS)}")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "performance.md")
    asked = parser.parse_args()
    wanted = asked.only.split(",") if asked.only else [benchmark.name for benchmark in BENCHMARKS]
    chosen = [benchmark for benchmark in BENCHMARKS if benchmark.name in wanted]
    if len(chosen) < len(wanted):
        parser.error(f"--only: {asked.only} names a benchmark that there is not")
    page = [INTRODUCTION.format(**machine.description(), commit=commit()), *map(section, chosen)]
    asked.output.write_text("\n\n".join(page) + "\n")
    print(f"{asked.output}: written")


def commit() -> str:
    """The commit that is measured, and whether files differ from it."""
    try:
        name, changed = (
            subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
            for words in (("rev-parse", "--short", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{name} with changes" if changed else name


def section(benchmark: Benchmark) -> str:
    """Run `benchmark`, showing what it prints as it comes; returns its section. Ends the program if it fails."""
    shown = " ".join(benchmark.command).replace("-m noizestream.cli", "noizestream")
    shown = shown if shown.startswith("noizestream") else f"python {shown}"
    load = machine.load_average()
    print(f"\n$ {shown}", flush=True)
    printed = []
    with subprocess.Popen([sys.executable, *benchmark.command], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            printed.append(line.rstrip())
    if process.returncode:
        sys.exit(f"{shown}: failed with {process.returncode}; nothing is written")
    text = "\n".join(printed).replace(str(ROOT) + os.sep, "")
    return f"## {benchmark.title}\n\n{benchmark.about} Load average before: {load}.\n\n```\n$ {shown}\n{text}\n```"


if __name__ == "__main__":
    main()
