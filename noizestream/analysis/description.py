"""What every measure needs of a piece of audio, real or made, so that both sides are described alike."""

import math

import numpy as np

from noizestream.analysis.classifier import shuffled, window_features
from noizestream.analysis.measures import Measures, common_tempo, log_mel, measure
from noizestream.music.decode import RATE

MEASURED_S = 20.0
"""Measures are taken over stretches of about this length, as some depend on it."""
MELS_PER_S = RATE / 512


def describe_audio(mono: np.ndarray) -> dict[str, np.ndarray]:
    """Of mono float32 `mono` [n] at `RATE`: `seconds` [1], `features` [windows, F], `mels` float16 [T, 80], `measures` [k, 7].

    `mels` are log10 (see `measures.log_mel`), `MELS_PER_S` frames a second; `measures` has a row per stretch.
    """
    return {
        "seconds": np.array([len(mono) / RATE]),
        "features": window_features(mono, RATE),
        "mels": log_mel(mono, RATE).T.astype(np.float16),
        "measures": _measures(mono),
    }


def describe_real(track, audio: np.ndarray) -> dict[str, np.ndarray]:
    """The same of `audio` [channels, n], mixed to mono, and of its shuffled control, under names with `control_` before."""
    mono = audio.mean(axis=0)
    control = describe_audio(shuffled(mono))
    return describe_audio(mono) | {f"control_{name}": control[name] for name in ("features", "mels", "measures")}


def describe_made(track, audio: np.ndarray) -> dict[str, np.ndarray]:
    """`describe_audio` of `audio` [channels, n] mixed to mono, in the form that `decode_all` calls."""
    return describe_audio(audio.mean(axis=0))


def mean_measures(rows: np.ndarray) -> Measures:
    """One `Measures` for `rows` [n, 7] of them: the mean of each; of the tempos the most common, as octaves must not mix."""
    values = dict(zip(Measures.__dataclass_fields__, map(float, rows.mean(axis=0)), strict=True))
    tempos = rows[:, list(values).index("tempo")].tolist()
    return Measures(**values | {"tempo": common_tempo(tempos)})


def _measures(mono: np.ndarray) -> np.ndarray:
    size = round(MEASURED_S * RATE)
    if len(mono) < 1.25 * size:
        return np.array([list(measure(mono, RATE).as_dict().values())])
    count = math.ceil(len(mono) / size)  # the last two overlap, so that all are equally long
    starts = np.linspace(0, len(mono) - size, count).round().astype(int)
    return np.array([list(measure(mono[start : start + size], RATE).as_dict().values()) for start in starts])
