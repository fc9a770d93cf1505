"""Speed and pitch variants of training audio, with torchaudio. The one place that imports it."""

import importlib
import sys
import types
from functools import cache
from types import ModuleType

import numpy as np


@cache
def torchaudio() -> ModuleType:
    """torchaudio, also where its compiled part does not load.

    Wheels linked to CUDA raise OSError beside a CPU build of torch; the transforms are Python and do not need that part.
    """
    try:
        return importlib.import_module("torchaudio")
    except OSError:
        stub = types.ModuleType("torchaudio._extension")
        vars(stub).update(_IS_TORCHAUDIO_EXT_AVAILABLE=False, fail_if_no_align=lambda function: function)
        sys.modules["torchaudio._extension"] = stub
        return importlib.import_module("torchaudio")


def change_speed(audio: np.ndarray, rate: int, semitones: float) -> np.ndarray:
    """Play float32 `audio` [..., n] faster and higher (semitones > 0) or slower, like a tape: n / 2 ** (semitones / 12) samples."""
    if semitones == 0:
        return audio
    import torch

    torchaudio()
    from torchaudio.transforms import Resample

    # Small whole numbers keep the polyphase filter small: 89:84 is one semitone within a thousandth.
    numerator, denominator = _ratio(2.0 ** (semitones / 12))
    with torch.inference_mode():
        return Resample(numerator, denominator)(torch.from_numpy(audio)).numpy()


def _ratio(factor: float) -> tuple[int, int]:
    from fractions import Fraction

    fraction = Fraction(factor).limit_denominator(100)
    return fraction.numerator, fraction.denominator
