"""From trained networks to the model file: script, freeze, test against the eager networks, save."""

import platform
import warnings
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from noizestream import artifact
from noizestream import precision as numbers
from noizestream.errors import NoizestreamError
from noizestream.metadata import Metadata
from noizestream.nn.lean import lean
from noizestream.nn.player import CALIBRATED, Player
from noizestream.nn.raw import RawPlayer
from noizestream.noise import noise

METHODS = ("step", "initial_state", "prime", "reconstruct", "encode", "score", "score_at")
"""What the model file answers; docs/model-format.md says which are required."""
SELF_TEST_STEPS = 24
TOLERANCE = 1e-3
"""Of networks whose kernels add in different orders."""
SOUND_TOLERANCE = 1e-2
"""Of samples: where two neighbouring bins are all but equal, rounding decides which of them is the peak."""

AnyPlayer = TypeVar("AnyPlayer", bound=Player | RawPlayer)


def script_shared(player: AnyPlayer) -> torch.jit.ScriptModule:
    """The player as TorchScript that still shares its weights and buffers with `player`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for method in _methods(player):
            torch.jit.export(getattr(type(player), method))
        return torch.jit.script(player.eval())


def _methods(player: AnyPlayer) -> list[str]:
    return [method for method in METHODS if hasattr(player, method)]


def script(player: AnyPlayer) -> torch.jit.ScriptModule:
    """The player as frozen TorchScript with those of `METHODS` that it has."""
    scripted = script_shared(player)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.freeze(scripted, preserved_attrs=_methods(player))


def quantised(player: AnyPlayer) -> AnyPlayer:
    """The lean copy of `player` whose plan and sequence model compute in dynamic int8: a quarter of the weights to read.

    Each row of a matrix has its own scale: rows that belong to different gates differ too much for one.
    """
    copied = lean(player)
    for name in ("plan", "predictor"):
        if hasattr(copied, name):
            setattr(copied, name, _in_int8(getattr(copied, name)))
    return copied.eval()


def as_played(player: Player, precision: str) -> Player:
    """A copy in the form that `export` writes; it shares with `player` what is set after training (`CALIBRATED`, the recall)."""
    copied = quantised(player) if numbers.resolve(precision) == numbers.INT8 else lean(player)
    for name in CALIBRATED:
        setattr(copied, name, getattr(player, name))
    copied.recall = player.recall
    return copied


def _in_int8(network: torch.nn.Module) -> torch.nn.Module:
    chosen = {
        name: torch.ao.quantization.per_channel_dynamic_qconfig
        for name, module in network.named_modules()
        if isinstance(module, torch.nn.Linear)
    }
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*deprecated")
        return torch.ao.quantization.quantize_dynamic(network, chosen)


def self_test(player: Player | RawPlayer, scripted: Any) -> None:
    """Raise NoizestreamError unless scripted equals eager, and the streamed predictor and decoder equal the offline ones."""
    with torch.inference_mode():
        genre = torch.full((player.predictor.genres,), 1 / player.predictor.genres)
        controls = torch.tensor([control["default"] for control in player.controls])
        states = [player.initial_state()]
        for block in range(SELF_TEST_STEPS):
            draws = torch.from_numpy(noise(1, block, player.noise_size))
            # From the same state each time: what hears itself may make much of a rounding error after some blocks.
            expected, eager_state = player.step(genre, controls, draws, states[-1])
            got, scripted_state = scripted.step(genre, controls, draws, states[-1])
            states.append(eager_state)
            kept = zip(eager_state[: 2 * player.layers + 1], scripted_state, strict=False)  # LSTM, and what it made
            known = all(bool((a - b).abs().max() <= TOLERANCE) for a, b in kept)
            if not known or not bool((expected - got).abs().max() <= SOUND_TOLERANCE):
                raise NoizestreamError(
                    f"export: the scripted model differs from the trained one at block {block}; please report this"
                )
        if not is_quantised(player):  # whole sequences run in float32 only
            (_test_offline_raw if isinstance(player, RawPlayer) else _test_offline)(player, genre, states)


def is_quantised(player: Player | RawPlayer) -> bool:
    """Whether `player` came from `quantised`."""
    return any(hasattr(module, "_packed_params") for module in player.predictor.modules())


def _test_offline(player: Any, genre: Tensor, states: list[list[Tensor]]) -> None:
    """The streamed latents fed back through the whole-sequence networks must end in the same LSTM state."""
    cells, predictor = 2 * player.layers, player.predictor
    z = torch.stack([state[cells][-1] for state in states[1:]])
    beats = torch.stack([state[cells + 1] for state in states[:-1]])
    frames, state = len(z), states[-1]
    previous = torch.cat([torch.zeros_like(z[:1]), z[:-1]])[None]
    clock = player.clock(beats, torch.ones(frames), torch.dot(genre, player.beaten).expand(frames))[None]
    notes = torch.cat([state[player.sounding - 1] for state in states[1:]])[None]
    start = predictor.recurrent.initial_sequence_state(1)
    _, (h, c) = predictor.sequence(previous, genre.expand(1, frames, -1), clock, notes, z[None], start)
    streamed = torch.cat(state[:cells])
    offline = torch.stack([h[:, 0], c[:, 0]], dim=1).flatten(0, 1)
    whole = player.codec.decode(z[None])[0, -1]
    last = player.codec.decode_frame(z[-player.context :])
    if not bool((streamed - offline).abs().max() <= TOLERANCE) or not bool((whole - last).abs().max() <= TOLERANCE):
        raise NoizestreamError("export: the streamed model differs from the trained one; please report this")


def _test_offline_raw(player: Any, genre: Tensor, states: list[list[Tensor]]) -> None:
    """The streamed blocks fed back through the whole-sequence network must end in the same LSTM state."""
    cells, predictor = 2 * player.layers, player.predictor
    blocks = torch.stack([state[cells] for state in states[:-1]])[None] / predictor.scale
    labels = genre.expand(1, blocks.shape[1], -1)
    _, (h, c) = predictor.sequence(blocks, labels, predictor.recurrent.initial_sequence_state(1))
    offline = torch.stack([h[:, 0], c[:, 0]], dim=1).flatten(0, 1)
    if not bool((torch.cat(states[-1][:cells]) - offline).abs().max() <= TOLERANCE):
        raise NoizestreamError("export: the streamed model differs from the trained one; please report this")


def export(
    player: Player | RawPlayer,
    name: str,
    genres: list[str],
    summary: dict[str, Any],
    path: str | Path,
    precision: str = numbers.AUTO,
) -> Metadata:
    """Script `player`, test it and write it to `path` with `summary` (preset, training, licence ...) in its metadata.

    `precision` is float32, int8 (the file then carries both forms) or auto; UsageError for int8 where it has no kernels.
    """
    precision = numbers.resolve(precision)
    scripted = script(lean(player))
    self_test(player, scripted)
    float32 = None
    if precision == numbers.INT8:
        player, float32 = quantised(player), scripted
        scripted = script(player)
        self_test(player, scripted)
    metadata = Metadata(
        name=name,
        sample_rate=player.sample_rate,
        channels=player.channels,
        block_frames=player.block,
        latency_frames=player.latency_frames,
        genres=genres,
        controls=[dict(control) for control in player.controls],
        noise_size=player.noise_size,
        extra=summary
        | {"precision": precision, "torch": torch.__version__, "machine": f"{platform.machine()} {platform.system()}"},
    )
    return artifact.save(scripted, metadata, path, float32)
