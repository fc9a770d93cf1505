"""What every measure needs of a piece of audio, real or generated, so that both sides are described alike."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple

import numpy as np

from noizestream.analysis.classifier import shuffled, window_features
from noizestream.analysis.image import averaged
from noizestream.analysis.measures import Measures, log_mel, measure, stretches
from noizestream.analysis.notes import hear
from noizestream.analysis.pulse import common_tempo
from noizestream.music.decode import RATE

MELS_PER_S = RATE / 512


def describe_audio(audio: np.ndarray) -> dict[str, np.ndarray]:
    """Return, of float32 `audio` [channels, n] at `RATE`, `image` [3] (image.py's `averaged`), and of its mono mix what follows.

    `seconds` [1], `features` [windows, F], `mels` float16 [T, 80], `measures` [k, 6], `notes` [k, 6]. `mels` are log10 (see
    `measures.log_mel`), `MELS_PER_S` frames a second; `measures` and `notes` (of `notes.NoteFigures`) have a row per stretch.
    """
    return {"image": averaged(audio, RATE)} | _describe_mono(audio.mean(axis=0))


def _describe_mono(mono: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "seconds": np.array([len(mono) / RATE]),
        "features": window_features(mono, RATE),
        "mels": log_mel(mono, RATE).T.astype(np.float16),
        "measures": np.array([astuple(measure(part, RATE)) for part in stretches(mono, RATE)]),
        "notes": np.array([astuple(hear(part, RATE)) for part in stretches(mono, RATE)]),
    }


def describe_real(track, audio: np.ndarray) -> dict[str, np.ndarray]:
    """Return `describe_audio` of `audio`, and of the shuffled control of its mono mix, under names with `control_` before."""
    control = _describe_mono(shuffled(audio.mean(axis=0)))
    return describe_audio(audio) | {f"control_{name}": control[name] for name in ("features", "mels", "measures", "notes")}


def describe_generated(track, audio: np.ndarray) -> dict[str, np.ndarray]:
    """Return `describe_audio` of `audio`, in the form in which `decode_all` calls it."""
    return describe_audio(audio)


def mean_measures(rows: np.ndarray) -> Measures:
    """Return one `Measures` for `rows` [n, 6] of them: the mean of each; of the tempos the most common, as octaves must not mix."""
    values = dict(zip(Measures.__dataclass_fields__, map(float, rows.mean(axis=0)), strict=True))
    tempos = rows[:, list(values).index("tempo")].tolist()
    return Measures(**values | {"tempo": common_tempo(tempos)})


def mean_image(pieces: Sequence[Mapping[str, np.ndarray]]) -> np.ndarray:
    """Return the `image` [3] of all `pieces` together, longer ones counting more."""
    return np.average([piece["image"] for piece in pieces], axis=0, weights=[float(piece["seconds"][0]) for piece in pieces])
