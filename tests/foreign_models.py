"""Hand-written models that behave, or misbehave, on purpose; `write` makes a model file of one, as a third party would."""

import json
from pathlib import Path

import torch
from torch import Tensor, nn

from noizestream.control.parameter import Parameter
from noizestream.control.parameters import PARAMETERS

METADATA = {
    "format_version": 1,
    "name": "foreign",
    "sample_rate": 48000,
    "channels": 2,
    "block_frames": 256,
    "latency_frames": 0,
    "genres": ["Jazz", "Folk", "Free Jazz"],
    "controls": [
        {"name": "temperature", "min": 0, "max": 2, "default": 1, "unit": ""},
        {"name": "sparkle", "min": -1, "max": 1, "default": 0.5, "unit": "dB"},
    ],
    "noise_size": 512,
}


class Model(nn.Module):
    """What most of them begin with: one number, 0."""

    @torch.jit.export
    def initial_state(self) -> list[Tensor]:
        return [torch.zeros(1)]


class White(Model):
    """White noise in stereo, scaled by the first genre's weight; the state counts blocks."""

    @torch.jit.export
    def step(self, genre: Tensor, controls: Tensor, noise: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        return (noise.view(2, 256) - 0.5) * genre[0], [state[0] + 1]


class Spoilt(Model):
    """A loud constant; every tenth block after a reset turns to NaN and would stay NaN, as a diverged LSTM does."""

    @torch.jit.export
    def step(self, genre: Tensor, controls: Tensor, noise: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        count = state[0] + 1
        spoil = torch.where(count >= 10, torch.full_like(count, float("nan")), torch.zeros_like(count))
        return 0.5 * torch.sin(noise.view(2, 256)) + spoil, [count]


class Raising(Model):
    """Its step raises."""

    @torch.jit.export
    def step(self, genre: Tensor, controls: Tensor, noise: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        return noise.view(3, 1000), state


class Hearing(Model):
    """White noise as loud as what it last heard, by the genre asked for then; silent until it has heard anything."""

    @torch.jit.export
    def prime(self, audio: Tensor, genre: Tensor) -> list[Tensor]:
        return [audio.abs().max() * genre[1:2]]

    @torch.jit.export
    def step(self, genre: Tensor, controls: Tensor, noise: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        return (noise.view(2, 256) - 0.5) * state[0], state


FAULTY = METADATA | {"name": "faulty", "sample_rate": 44100, "genres": ["Drone"], "noise_size": 1}


class Faulty(nn.Module):
    """A tone of 660 Hz in stereo at 44.1 kHz that turns to NaN, or raises, at its 100th block: noise decides."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("time", torch.arange(1, 257, dtype=torch.float64) * (660 / 44100))

    @torch.jit.export
    def initial_state(self) -> list[Tensor]:
        return [torch.zeros(1, dtype=torch.float64), torch.zeros(1)]

    @torch.jit.export
    def step(self, genre: Tensor, controls: Tensor, noise: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        turns, count = state[0] + self.time, state[1] + 1
        wave = (0.25 * torch.sin(6.283185307179586 * turns)).float()
        if int(count) == 100:
            if float(noise[0]) < 0.5:
                raise RuntimeError("injected fault")
            wave = wave + float("nan")
        return torch.stack([wave, wave]), [turns[-1:] % 1, count]


GENRES = ["Jazz", "Folk", "Free Jazz"]


def declared(row: Parameter) -> dict:
    """The control of the table's `row`, as a model with these genres declares it."""
    most = len(GENRES) - 1 if row.kind == "genre" else row.maximum
    return {"name": row.name, "min": row.minimum, "max": most, "default": row.default, "unit": row.unit}


LAYERED = METADATA | {
    "name": "layered",
    "genres": GENRES,
    "controls": [declared(row) for row in PARAMETERS if row.acts == "model"],
    "noise_size": 0,
    "tempos": {"Jazz": 120.0, "Folk": 90.0},
}
LAYERED["controls"].insert(2, {"name": "beat", "min": -1, "max": 1e6, "default": -1, "unit": "beats"})
OWN_HZ, LOWEST_HZ = 110.0, 220.0


def chord_hz(chord: int) -> float:
    """What `Layered` plays for a chord: a semitone higher for each number."""
    return OWN_HZ if chord < 0 else LOWEST_HZ * 2 ** (chord / 12)


class Layered(nn.Module):
    """A tone by the chord's number, as loud as the drums' level says and silent where they are muted; each change of the drums'
    count turns it up or down by an octave."""

    def __init__(self) -> None:
        super().__init__()
        names = [control["name"] for control in LAYERED["controls"]]
        self.chord, self.level = names.index("chord"), names.index("drums_level")
        self.mute, self.count = names.index("drums_mute"), names.index("drums_new")
        self.register_buffer("time", torch.arange(1, 257, dtype=torch.float64) / 48000)

    @torch.jit.export
    def initial_state(self) -> list[Tensor]:
        return [torch.zeros(1, dtype=torch.float64), torch.zeros(1), torch.ones(1)]

    @torch.jit.export
    def step(self, genre: Tensor, controls: Tensor, noise: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        chord, count = float(controls[self.chord]), controls[self.count : self.count + 1]
        octave = state[2] if bool(count == state[1]) else 3 - state[2]
        level = 0.0 if float(controls[self.mute]) > 0 else 0.2 * 10.0 ** (float(controls[self.level]) / 20)
        pitch = 110.0 if chord < 0 else 220.0 * 2.0 ** (chord / 12)
        turns = state[0] + self.time * pitch * float(octave)
        wave = (level * torch.sin(6.283185307179586 * turns)).float()
        return torch.stack([wave, wave]), [turns[-1:] % 1, count, octave]


class WrongShape(Model):
    """Returns mono where stereo is promised."""

    @torch.jit.export
    def step(self, genre: Tensor, controls: Tensor, noise: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        return noise[None, :256], state


class NoStep(nn.Module):
    """An ordinary TorchScript module."""

    def forward(self, x: Tensor) -> Tensor:
        return x


def write(module: nn.Module, path: Path, metadata: dict | None = METADATA) -> Path:
    """Script `module` into the file `path`, with `metadata` inside (None: without)."""
    files = {} if metadata is None else {"metadata.json": json.dumps(metadata)}
    torch.jit.save(torch.jit.script(module.eval()), str(path), _extra_files=files)
    return path
