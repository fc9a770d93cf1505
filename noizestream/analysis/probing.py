"""What a model says of real music, by the optional methods of its file: nats per block, one-step errors, its codec and back.

docs/model-format.md gives the methods: score, score_at, encode, reconstruct. What a model does not offer is left out (None).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from noizestream.analysis.distances import codec_distance, tonal_distance
from noizestream.analysis.excerpts import Excerpt
from noizestream.errors import NoizestreamError
from noizestream.modelfile.archive import last_line
from noizestream.modelfile.metadata import Metadata


class Probe:
    """A loaded model file, asked about audio [channels, n] at its own rate and channels. All results are float64 numpy."""

    def __init__(self, module: Any, metadata: Metadata):
        self.module, self.metadata = module, metadata

    def offers(self, *names: str) -> bool:
        """Whether the model has one of these methods."""
        return any(hasattr(self.module, name) for name in names)

    def __call__(self, name: str, *arguments: Any) -> Any:
        """Method `name` on numpy arguments; NoizestreamError when it fails."""
        import torch

        try:
            with torch.inference_mode():
                given = [torch.from_numpy(np.ascontiguousarray(argument)) for argument in arguments]
                result = getattr(self.module, name)(*given)
                parts = result if isinstance(result, tuple) else (result,)
                arrays = tuple(part.numpy().astype(np.float64) for part in parts)
        except Exception as error:  # whatever a foreign module may raise
            raise NoizestreamError(f"{self.metadata.name}: its {name} fails ({last_line(error)})") from None
        return arrays if isinstance(result, tuple) else arrays[0]

    def score(self, audio: np.ndarray, genre: np.ndarray, frames: int, beats: Callable | None) -> tuple[np.ndarray, np.ndarray]:
        """nats [T] and mean prediction [T, bands]; with `beats`, a function of seconds, the model's clock follows them.

        `frames` is T where it is known, or more. A frame lies where its block is heard: `latency_frames` after the block's start.
        """
        if beats is None:
            return self("score", audio, genre)
        heard = np.arange(frames) * self.metadata.block_frames + self.metadata.latency_frames
        return self("score_at", audio, genre, beats(heard / self.metadata.sample_rate))


def prediction(probe: Probe, genre: str, tempo: float | None, unseen: list[Excerpt]) -> dict | None:
    """Nats per block on the `unseen` excerpts; one-step errors of the model, and of the last frame held.

    Means over all frames but the first of each stretch, which is predicted from silence. None if the model has no score, or
    there is no unseen music. `tempo` is the genre's own in the model, to which tracked beats are folded.
    """
    if not probe.offers("score", "score_at") or not unseen:
        return None
    rate, channels = probe.metadata.sample_rate, probe.metadata.channels
    weights = np.array(probe.metadata.genre_weights(genre), np.float32)
    nats: list[np.ndarray] = []
    wrong: list[np.ndarray] = []
    still: list[np.ndarray] = []
    for excerpt in unseen:
        whole, parts = excerpt.load(rate, channels)
        beats = _beats(whole, rate, tempo) if probe.offers("score_at") else None
        for (first, _), part in zip(excerpt.stretches, parts, strict=True):
            at = None if beats is None else (lambda seconds, first=first, beats=beats: beats(first + seconds))
            encoded = probe("encode", part) if probe.offers("encode") else ()
            frames = len(encoded[0]) if encoded else part.shape[1] // probe.metadata.block_frames
            scored, predicted = probe.score(part, weights, frames, at)
            nats.append(scored[1:])
            if encoded:
                z, bands = encoded
                if len(z) != len(scored) or bands.shape != predicted.shape:
                    raise NoizestreamError(f"{probe.metadata.name}: its score and encode differ in frames or bands")
                wrong.append((predicted - bands)[1:])
                still.append(-np.diff(bands, axis=0))
    result: dict[str, Any] = {"frames": sum(map(len, nats)), "nats": float(np.concatenate(nats).mean())}
    if wrong:
        result |= {"model": _errors(np.concatenate(wrong)), "last_frame": _errors(np.concatenate(still))}
    return result


def codec(probe: Probe, unseen: list[Excerpt]) -> dict[str, float] | None:
    """Codec and tonal distance of `reconstruct` on the mono mix of the `unseen` excerpts; None if the model has none."""
    if not probe.offers("reconstruct") or not unseen:
        return None

    def there_and_back(audio: np.ndarray) -> np.ndarray:
        made = probe("reconstruct", audio)
        if made.shape != audio.shape:
            raise NoizestreamError(f"{probe.metadata.name}: its reconstruct returned the shape {list(made.shape)}")
        return made

    return distances(unseen, probe.metadata.sample_rate, probe.metadata.channels, there_and_back)


def distances(unseen: list[Excerpt], rate: int, channels: int, codec: Callable[[np.ndarray], np.ndarray]) -> dict[str, float]:
    """Mean distances, weighted by length, of the mono mix of `codec(audio [channels, n])` from that of the audio itself."""
    rows, weights = [], []
    for excerpt in unseen:
        for part in excerpt.load(rate, channels)[1]:
            before, after = part.mean(axis=0), codec(part).mean(axis=0).astype(np.float32)
            rows.append((codec_distance(before, after, rate), tonal_distance(before, after, rate)))
            weights.append(part.shape[1])
    codec_mean, tonal_mean = np.average(rows, axis=0, weights=weights)
    return {"codec": float(codec_mean), "tonal": float(tonal_mean), "seconds": sum(weights) / rate}


def _beats(whole: np.ndarray, rate: int, tempo: float | None) -> Callable[[np.ndarray], np.ndarray]:
    from noizestream.analysis.beats import fold, track_beats

    beats = track_beats(whole.mean(axis=0), rate)
    multiple = fold(beats.tempo, tempo) if tempo else 1.0
    return lambda seconds: beats.at(seconds) * multiple


def _errors(wrong: np.ndarray) -> dict[str, float]:
    """Mean squared, absolute and bias error (prediction minus truth)."""
    return {"mse": float(np.mean(wrong**2)), "mae": float(np.mean(np.abs(wrong))), "mbe": float(np.mean(wrong))}
