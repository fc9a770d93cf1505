"""From trained networks to the model file: script, freeze, test against the eager networks, save."""

import copy
import platform
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from noizestream import artifact
from noizestream import precision as numbers
from noizestream.errors import NoizestreamError
from noizestream.metadata import Metadata
from noizestream.nn.player import CONTROLS, Player
from noizestream.nn.predictor import clock_features
from noizestream.noise import noise

SELF_TEST_STEPS = 24
TOLERANCE = 1e-3
"""Scripted and eager kernels add in different orders; the phases integrate that."""


def script_shared(player: Player) -> torch.jit.ScriptModule:
    """The player as TorchScript that still shares its weights and buffers with `player`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for method in (Player.step, Player.initial_state):
            torch.jit.export(method)
        return torch.jit.script(player.eval())


def script(player: Player) -> torch.jit.ScriptModule:
    """The player as frozen TorchScript with `step` and `initial_state`."""
    scripted = script_shared(player)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.freeze(scripted, preserved_attrs=["step", "initial_state"])


def quantised(player: Player) -> Player:
    """A copy whose sequence model computes in dynamic int8: a quarter of the weights to read at every step."""
    copied = copy.deepcopy(player)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*deprecated")
        copied.predictor = torch.ao.quantization.quantize_dynamic(
            copied.predictor, {torch.nn.LSTMCell, torch.nn.Linear}, dtype=torch.qint8
        )
    return copied.eval()


def self_test(player: Player, scripted: Any) -> None:
    """Raise NoizestreamError unless scripted equals eager, and the streamed predictor and decoder equal the offline ones."""
    with torch.inference_mode():
        genre = torch.full((player.predictor.genres,), 1 / player.predictor.genres)
        controls = torch.tensor([control["default"] for control in CONTROLS])
        eager_state, scripted_state = player.initial_state(), scripted.initial_state()
        history: list[Tensor] = []
        beats: list[Tensor] = []
        for block in range(SELF_TEST_STEPS):
            draws = torch.from_numpy(noise(1, block, player.noise_size))
            beats.append(eager_state[2 * player.layers + 1])
            expected, eager_state = player.step(genre, controls, draws, eager_state)
            got, scripted_state = scripted.step(genre, controls, draws, scripted_state)
            history.append(eager_state[2 * player.layers][-1])
            if not bool((expected - got).abs().max() <= TOLERANCE):
                raise NoizestreamError(
                    f"export: the scripted model differs from the trained one at block {block}; please report this"
                )
        if not is_quantised(player):  # whole sequences run in float32 only
            _test_offline(player, torch.stack(history), torch.stack(beats), genre, eager_state)


def is_quantised(player: Player) -> bool:
    """Whether `player` came from `quantised`."""
    return hasattr(player.predictor.head, "_packed_params")


def _test_offline(player: Player, z: Tensor, beats: Tensor, genre: Tensor, state: list[Tensor]) -> None:
    """The streamed latents fed back through the whole-sequence networks must end in the same LSTM state."""
    frames = len(z)
    previous = torch.cat([torch.zeros_like(z[:1]), z[:-1]])[None]
    clock = clock_features(beats, torch.ones(frames))[None]
    predictor = player.predictor
    _, (h, c) = predictor.sequence(previous, genre.expand(1, frames, -1), clock, predictor.recurrent.initial_sequence_state(1))
    streamed = torch.cat(state[: 2 * player.layers])
    offline = torch.stack([h[:, 0], c[:, 0]], dim=1).flatten(0, 1)
    whole = player.codec.decode(z[None])[0, -1]
    last = player.codec.decode_frame(z[-player.context :])
    if not bool((streamed - offline).abs().max() <= TOLERANCE) or not bool((whole - last).abs().max() <= TOLERANCE):
        raise NoizestreamError("export: the streamed model differs from the trained one; please report this")


def export(
    player: Player, name: str, genres: list[str], summary: dict[str, Any], path: str | Path, precision: str = numbers.AUTO
) -> Metadata:
    """Script `player`, test it and write it to `path` with `summary` (preset, training, licence ...) in its metadata.

    `precision` is float32, int8 (the file then carries both forms) or auto; UsageError for int8 where it has no kernels.
    """
    precision = numbers.resolve(precision)
    scripted = script(player)
    self_test(player, scripted)
    float32 = None
    if precision == numbers.INT8:
        player, float32 = quantised(player), scripted
        scripted = script(player)
        self_test(player, scripted)
    metadata = Metadata(
        name=name,
        sample_rate=player.front.sample_rate,
        channels=1,
        block_frames=player.front.block,
        latency_frames=player.latency_frames,
        genres=genres,
        controls=[dict(control) for control in CONTROLS],
        noise_size=player.noise_size,
        extra=summary
        | {"precision": precision, "torch": torch.__version__, "machine": f"{platform.machine()} {platform.system()}"},
    )
    return artifact.save(scripted, metadata, path, float32)
