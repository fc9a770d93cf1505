"""From trained networks to the model file: script, test against the eager networks, save."""

import itertools
import platform
import warnings
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from noizestream.errors import NoizestreamError
from noizestream.modelfile import archive
from noizestream.modelfile import precision as numbers
from noizestream.modelfile.metadata import Metadata
from noizestream.modelfile.noise import noise
from noizestream.nn import raw, unit_state
from noizestream.nn.inference import InferenceRecurrent, inference_form, recurrent_of, with_recurrent
from noizestream.nn.raw import RawPlayer
from noizestream.nn.recurrent import flat
from noizestream.nn.units import UnitPlayer

METHODS = ("step", "initial_state", "prime", "reconstruct", "encode", "score", "score_at", "places")
"""What the model file answers; docs/model-format.md says which are required."""
SELF_TEST_STEPS = 24
TOLERANCE = 1e-3
"""Of networks whose kernels add in different orders."""
SOUND_TOLERANCE = 1e-3
"""Of samples."""

AnyPlayer = TypeVar("AnyPlayer", bound=UnitPlayer | RawPlayer)


def _methods(player: AnyPlayer) -> list[str]:
    return [method for method in METHODS if hasattr(player, method)]


def script(player: AnyPlayer) -> torch.jit.ScriptModule:
    """The player as TorchScript with those of `METHODS` that it has.

    Not frozen: that makes a step 3 % faster, and takes 75 MB more once it is loaded.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for method in _methods(player):
            torch.jit.export(getattr(type(player), method))
        return torch.jit.script(player.eval())


@torch.no_grad()
def quantised(player: AnyPlayer) -> AnyPlayer:
    """The inference form of `player` whose LSTM computes in dynamic int8: a quarter of the weights to read.

    Each row of a matrix has its own scale: rows that belong to different gates differ too much for one.
    """
    return with_recurrent(player, _in_int8(InferenceRecurrent(recurrent_of(player).weights())))


def _in_int8(network: torch.nn.Module) -> torch.nn.Module:
    chosen = {
        name: torch.ao.quantization.per_channel_dynamic_qconfig
        for name, module in network.named_modules()
        if isinstance(module, torch.nn.Linear)
    }
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*deprecated")
        return torch.ao.quantization.quantize_dynamic(network, chosen)


def self_test(player: UnitPlayer | RawPlayer, scripted: Any) -> None:
    """Raise NoizestreamError unless scripted equals eager, and the streamed LSTM equals the offline one."""
    with torch.inference_mode():
        genre = torch.full((player.genres,), 1 / player.genres)
        controls = torch.tensor([float(control["default"]) for control in player.controls])
        states = [player.initial_state()]
        for block in range(SELF_TEST_STEPS):
            draws = torch.from_numpy(noise(1, block, player.noise_size))
            # From the same state each time: what hears itself may make much of a rounding error after some blocks.
            expected, eager_state = player.step(genre, controls, draws, states[-1])
            got, scripted_state = scripted.step(genre, controls, draws, states[-1])
            states.append(eager_state)
            pairs = zip(_foretold(player, eager_state), _foretold(player, scripted_state), strict=True)
            known = all(bool((a - b).abs().max() <= TOLERANCE) for a, b in pairs)
            # A rounding error may make another choice of two that are all but equal: then they play something else.
            alike = isinstance(player, RawPlayer) or torch.equal(player.places(eager_state), player.places(scripted_state))
            if not known or (alike and not bool((expected - got).abs().max() <= SOUND_TOLERANCE)):
                raise NoizestreamError(
                    f"export: the scripted model differs from the trained one at block {block}; please report this"
                )
        if not is_quantised(player):  # whole sequences run in float32 only
            if isinstance(player, RawPlayer):
                _test_offline_raw(player, genre, states)
            else:
                _test_offline(player, genre, states)


def is_quantised(player: UnitPlayer | RawPlayer) -> bool:
    """Whether `player` came from `quantised`."""
    return any(hasattr(module, "_packed_params") for module in player.modules())


def _foretold(player: UnitPlayer | RawPlayer, state: list[Tensor]) -> list[Tensor]:
    """What of a state is the LSTM's, and what it says; of the baseline, its block."""
    if isinstance(player, RawPlayer):
        kept = raw.unpack(state)
        return [*flat(kept.cells), kept.block]
    named = unit_state.unpack(state)
    return [*named.cells, *named.ahead, named.h, named.h_ahead]


def _test_offline(player: UnitPlayer, genre: Tensor, states: list[list[Tensor]]) -> None:
    """The codes that were played, fed to the navigator as a sequence, must end in the same LSTM state."""
    navigator, named = player.navigator, [unit_state.unpack(state) for state in states]
    codes, rows, slots = named[0].codes, [], []
    for before, after in itertools.pairwise(named):
        slot = unit_state.moment_of(after.moment).slot
        if unit_state.moment_of(before.moment).slot != slot:  # a slot began
            rows.append(codes[player.hearing.ago])
            slots.append(float(slot))
        codes = after.codes
    count = len(rows)
    beaten = torch.dot(player.beaten, genre).expand(1, count)
    leads = unit_state.layers_of(named[-1].layers)[0]
    piece = torch.tensor([navigator.pieces] + [leads.piece] * (count - 1)).unsqueeze(0)
    heard = (torch.stack(rows).unsqueeze(0), genre.expand(1, count, -1), torch.tensor(slots).unsqueeze(0), beaten, piece)
    _, offline = navigator.sequence(*heard, navigator.recurrent.initial_sequence_state(1), 0.0)
    _check_cells(named[-1].cells, offline)


def _test_offline_raw(player: RawPlayer, genre: Tensor, states: list[list[Tensor]]) -> None:
    """The streamed blocks fed back through the whole-sequence network must end in the same LSTM state."""
    predictor, named = player.predictor, [raw.unpack(state) for state in states]
    blocks = torch.stack([state.block for state in named[:-1]])[None] / predictor.scale
    labels = genre.expand(1, blocks.shape[1], -1)
    _, offline = predictor.sequence(blocks, labels, predictor.recurrent.initial_sequence_state(1))
    _check_cells(flat(named[-1].cells), offline)


def _check_cells(streamed: list[Tensor], offline: list[Tensor]) -> None:
    """Raise NoizestreamError unless the LSTM's `streamed` state is that of a whole sequence, `offline` [h, c]."""
    h, c = offline
    whole = torch.stack([h[:, 0], c[:, 0]], dim=1).flatten(0, 1)
    if not bool((torch.cat(streamed) - whole).abs().max() <= TOLERANCE):
        raise NoizestreamError("export: the streamed model differs from the trained one; please report this")


def export(
    player: UnitPlayer | RawPlayer,
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
    scripted = script(inference_form(player))
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
    return archive.save(scripted, metadata, path, float32)
