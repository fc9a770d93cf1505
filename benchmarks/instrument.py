"""What chords and layers do, measured: python benchmarks/instrument.py MODEL [--genres A,B] [--seconds 30] [--json FILE]

Chords: 24 triads in turn, four bars each; the share of beats whose chroma fits the triad asked for better than any other one,
beside the chance that it would be so without asking, and the pulse beside that of the same performance left alone. Layers: what
each mute takes out of the levels below 200 Hz, to 2 kHz, above and of the onsets, and after how many blocks a layer that is told
`new` sounds otherwise. About two minutes a genre on one core.
"""

import argparse
import itertools
from pathlib import Path
from typing import Any

import numpy as np

from noizestream.analysis import chords
from noizestream.analysis.pulse import pulse
from noizestream.control.parameters import LAYERS
from noizestream.engine.generator import Generator, load, prepare_torch
from noizestream.modelfile.archive import find_model
from noizestream.system.jsonfile import write_json

BARS = 4
BEATS = 4
EDGES_HZ = (0, 200, 2000, 20000)


def render(generator: Generator, blocks: int, change: Any = None) -> np.ndarray:
    """Mono float32 of so many blocks from the beginning; `change(block)` may set controls before each."""
    generator.reset()
    made = []
    for block in range(blocks):
        if change is not None:
            change(block)
        made.append(generator.step().mean(0))
    return np.concatenate(made)


def heard(audio: np.ndarray, rate: int, beat_s: float, late_s: float, asked: np.ndarray) -> float:
    """The share of beats in which the triad `asked` [beats] fits best; sound comes `late_s` after its block began."""
    edges = late_s + beat_s * np.arange(len(asked) + 1)
    fit = chords.fit(chords.between(chords.chroma(audio, rate), rate, edges))
    return float(np.mean(fit.argmax(1) == asked))


def of_chords(generator: Generator, genre: str, tempo: float) -> dict[str, float]:
    metadata = generator.metadata
    beat_s, block_s = 60 / tempo, metadata.block_frames / metadata.sample_rate
    asked = np.repeat(np.arange(24), BARS * BEATS)
    blocks = int(len(asked) * beat_s / block_s) + 12
    generator.set_genre(genre)
    generator.set_control("chord", -1)
    plain = render(generator, blocks)

    def change(block: int) -> None:
        # The block in which a chord's first beat lies; ten milliseconds early is still that beat.
        generator.set_control("chord", int(asked[min(int((block + 1) * block_s / beat_s), len(asked) - 1)]))

    made = render(generator, blocks, change)
    generator.set_control("chord", -1)
    rate, late_s = metadata.sample_rate, metadata.latency_frames / metadata.sample_rate
    return {
        "heard": heard(made, rate, beat_s, late_s, asked),
        "by_chance": heard(plain, rate, beat_s, late_s, asked),
        "pulse": pulse(made, rate)[0],
        "pulse_alone": pulse(plain, rate)[0],
    }


def levels(audio: np.ndarray, rate: int) -> list[float]:
    """dB in each range of `EDGES_HZ`, and of the onsets (rise of the level in 5 ms steps)."""
    power = np.abs(np.fft.rfft(audio)) ** 2
    hz = np.fft.rfftfreq(len(audio), 1 / rate)
    found = [10 * np.log10(power[(hz >= a) & (hz < b)].sum() + 1e-9) for a, b in itertools.pairwise(EDGES_HZ)]
    step = rate // 200
    steps = np.sqrt(np.square(audio[: len(audio) // step * step].reshape(-1, step)).mean(1))
    return [*found, 10 * np.log10(np.square(np.maximum(np.diff(steps), 0)).sum() + 1e-12)]


def of_layers(generator: Generator, genre: str, seconds: float) -> dict[str, Any]:
    metadata = generator.metadata
    blocks = int(seconds * metadata.sample_rate / metadata.block_frames)
    generator.set_genre(genre)
    whole = levels(render(generator, blocks), metadata.sample_rate)
    result: dict[str, Any] = {}
    for layer in LAYERS:
        generator.set_control(f"{layer}_mute", 1)
        muted = levels(render(generator, blocks), metadata.sample_rate)
        generator.set_control(f"{layer}_mute", 0)
        result[layer] = {
            "muted_db": [round(float(a - b), 1) for a, b in zip(muted, whole, strict=True)],
            "new_blocks": _new(generator, layer),
        }
    return result


def _new(generator: Generator, layer: str) -> float:
    """Median blocks after which a layer that is told `new` differs from one that is not, over several moments."""
    found = []
    for moment in range(200, 600, 50):
        plain = render(generator, moment + 60)

        def change(block: int, at: int = moment) -> None:
            generator.set_control(f"{layer}_new", 1 if block >= at else 0)

        told = render(generator, moment + 60, change)
        size = generator.metadata.block_frames
        apart = np.abs(told - plain)[: (moment + 60) * size].reshape(-1, size).max(1) > 1e-3
        found.append(int(np.argmax(apart)) - moment if apart.any() else 60)
    generator.set_control(f"{layer}_new", 0)
    return float(np.median(found))


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("model", nargs="?")
    ask.add_argument("--genres", help="comma-separated; the first two if not given")
    ask.add_argument("--seconds", type=float, default=30.0)
    ask.add_argument("--json", type=Path)
    asked = ask.parse_args()
    prepare_torch()
    generator = load(find_model(asked.model))
    names = asked.genres.split(",") if asked.genres else generator.metadata.genres[:2]
    result = {}
    for genre in names:
        tempo = generator.metadata.extra["tempos"][genre]
        entry = {"chords": of_chords(generator, genre, tempo), "layers": of_layers(generator, genre, asked.seconds)}
        result[genre] = entry
        c = entry["chords"]
        print(
            f"{genre}: chord heard in {c['heard']:.0%} of the beats (unasked {c['by_chance']:.0%}), "
            f"pulse {c['pulse']:.2f} (alone {c['pulse_alone']:.2f})"
        )
        for layer, figures in entry["layers"].items():
            db = ", ".join(f"{value:+.1f}" for value in figures["muted_db"])
            print(
                f"  {layer} muted: {db} dB (under 200 Hz, to 2 kHz, above, onsets); "
                f"new heard after {figures['new_blocks']:.0f} blocks"
            )
    if asked.json:
        write_json(asked.json, result)


if __name__ == "__main__":
    main()
