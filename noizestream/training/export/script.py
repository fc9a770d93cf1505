"""The forms of a player that a model file holds: as TorchScript, and with its LSTM in int8."""

import inspect
import warnings
from typing import Any

import torch

from noizestream.nn.inference import InferenceRecurrent, recurrent_of, with_recurrent

METHODS = ("step", "initial_state", "prime", "reconstruct", "encode", "score", "score_at", "places")
"""What the model file answers; docs/model-format.md says which are required."""


def script(player: torch.nn.Module) -> torch.jit.ScriptModule:
    """The player as TorchScript with those of `METHODS` that it has.

    Not frozen: that makes a step 3 % faster, and takes 75 MB more once it is loaded.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for name, method in inspect.getmembers(type(player), inspect.isfunction):
            if name in METHODS:
                torch.jit.export(method)
        return torch.jit.script(player.eval())


@torch.no_grad()
def quantised(player: Any) -> Any:
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


def is_quantised(player: torch.nn.Module) -> bool:
    """Whether `player` came from `quantised`."""
    return any(isinstance(module, torch.ao.nn.quantized.dynamic.Linear) for module in player.modules())
