"""Do the controls do what they say? Tempo, temperature over its whole range, and morphs between genres, measured on rendered audio.

    python benchmarks/controls.py [MODEL] [--seconds 20] [--seed 1] [--json FILE]

Tempo: 0.8, 1 and 1.25 times each genre's own are asked for; the error is what is measured against that, octaves folded.
Temperature: level, peak, silence, repeats, and flux and peakiness relative to temperature 1.
Morph: where the sound of a mix lies on the line from one genre's mean log-mel spectrum (0) to the other's (1), and which share of
its seconds lies between 0.2 and 0.8, so neither the one nor the other.
"""

import argparse
import itertools
import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")

import numpy as np  # noqa: E402

from benchmarks.program import print_table, run  # noqa: E402
from noizestream.analysis import measures, pulse  # noqa: E402
from noizestream.engine.generator import Generator, load, prepare_torch  # noqa: E402
from noizestream.system.jsonfile import write_json  # noqa: E402

SPEEDS = (0.8, 1.0, 1.25)
TEMPERATURES = (0.0, 0.5, 1.0, 1.5, 2.0)
MIXES = (0.25, 0.5, 0.75)
BEATEN = 0.2
"""Pulse clarity from which a genre counts as having a beat."""


def heard(generator: Generator, seed: int, seconds: float, genre: str, **controls: float) -> np.ndarray:
    """Mono audio of one rendering, without its first second."""
    generator.reset(seed)
    generator.set_genre(genre)
    for control in generator.metadata.controls:
        generator.set_control(control["name"], controls.get(control["name"], control["default"]))
    rate = generator.metadata.sample_rate
    return generator.pull(int((seconds + 1) * rate))[:, rate:].mean(0)


def tempo_rows(generator: Generator, seconds: float, seed: int, plain: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    rate, rows = generator.metadata.sample_rate, []
    for genre, own in generator.metadata.extra["tempos"].items():
        if pulse.pulse(plain[genre], rate)[0] < BEATEN:
            continue
        for speed in SPEEDS:
            clarity, tempo = pulse.pulse(heard(generator, seed, seconds, genre, tempo=own * speed), rate)
            error = pulse.tempo_error(tempo, own * speed)
            rows.append({"genre": genre, "asked": own * speed, "speed": speed, "error": error, "pulse": clarity})
    return rows


def temperature_rows(generator: Generator, seconds: float, seed: int, plain: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    rate, rows = generator.metadata.sample_rate, []
    for genre, usual in plain.items():
        flux, peakiness = measures.flux(usual, rate), measures.peakiness(usual, rate)
        for temperature in TEMPERATURES:
            audio = usual if temperature == 1.0 else heard(generator, seed, seconds, genre, temperature=temperature)
            rows.append(
                {
                    "genre": genre,
                    "temperature": temperature,
                    "level_db": 20 * float(np.log10(max(float(np.sqrt(np.mean(audio**2))), 1e-9))),
                    "peak": float(np.abs(audio).max()),
                    "silence": measures.silence(audio, rate),
                    "repeats": measures.repeats(audio, rate),
                    "flux": measures.flux(audio, rate) / flux,
                    "peakiness": measures.peakiness(audio, rate) / peakiness,
                }
            )
    return rows


def by_second(audio: np.ndarray, rate: int) -> np.ndarray:
    """Mean log-mel spectrum of every second [seconds, mels]."""
    mel = measures.log_mel(audio, rate)
    per = mel.shape[1] // max(1, len(audio) // rate)
    return mel[:, : mel.shape[1] // per * per].reshape(len(mel), -1, per).mean(2).T


def morph_rows(generator: Generator, seconds: float, seed: int, plain: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    rate, rows = generator.metadata.sample_rate, []
    spectra = {genre: by_second(audio, rate).mean(0) for genre, audio in plain.items()}
    for one, other in itertools.combinations(plain, 2):
        way = spectra[other] - spectra[one]
        row: dict[str, Any] = {"from": one, "to": other}
        for mix in MIXES:
            seconds_of = by_second(heard(generator, seed, seconds, f"{one}:{1 - mix},{other}:{mix}"), rate)
            place = (seconds_of - spectra[one]) @ way / (way @ way)
            row |= {f"at_{mix:g}": float(place.mean()), f"between_{mix:g}": float(((place > 0.2) & (place < 0.8)).mean())}
        rows.append(row)
    return rows


def show(title: str, rows: list[dict[str, Any]]) -> None:
    from rich.table import Table

    if not rows:
        return
    table = Table(*rows[0], title=title, title_justify="left")
    for row in rows:
        table.add_row(*(value if isinstance(value, str) else f"{value:.3g}" for value in row.values()))
    print_table(table, 110)


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("model", nargs="?")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    prepare_torch()
    generator = load(asked.model)
    plain = {genre: heard(generator, asked.seed, asked.seconds, genre) for genre in generator.genres}
    result = {
        "tempo": tempo_rows(generator, asked.seconds, asked.seed, plain),
        "temperature": temperature_rows(generator, asked.seconds, asked.seed, plain),
        "morph": morph_rows(generator, asked.seconds, asked.seed, plain),
    }
    for title, rows in result.items():
        show(title, rows)
    if asked.json:
        write_json(asked.json, result)
    return result


if __name__ == "__main__":
    run(main)
