"""A model, or any folder of audio, against a labelled library: every figure of docs/evaluation.md as one dictionary."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from noizestream.analysis import copying
from noizestream.analysis.classifier import GenreClassifier
from noizestream.analysis.corpus import Piece, Real
from noizestream.analysis.description import mean_image, mean_measures
from noizestream.analysis.frechet import available_s, frechet, motion
from noizestream.analysis.generated import Described
from noizestream.analysis.notes import NAMES, mean_figures
from noizestream.analysis.places import together
from noizestream.analysis.pulse import tempo_error

RATIOS = ("peakiness", "flux", "pulse")
IMAGE = ("width", "pan", "motion")


def compare(
    real: Mapping[str, Real], generated: Mapping[str, Sequence[Described]], probed: Mapping[str, Described]
) -> dict[str, Any]:
    """Return `{"genres": {genre: figures}, "all": figures}`; what a model does not offer is None. NaN never occurs."""
    result: dict[str, dict[str, Any]] = {genre: {} for genre in generated}
    for section in (
        _recognised(real, generated),
        _liveliness(real, generated),
        _notes(real, generated),
        _image(real, generated),
        _frechet(real, generated),
        _copying(real, generated),
        {genre: {"places": together([e["places"] for e in generated[genre] if e.get("places")])} for genre in generated},
    ):
        for genre, figures in section.items():
            result[genre] |= figures
    for genre in generated:
        result[genre] |= {name: probed[genre][name] if genre in probed else None for name in ("prediction", "codec")}
        result[genre]["resets"] = sum(entry.get("resets", 0) for entry in generated[genre])
    return _plain({"genres": result, "all": _overall(result)})


def _recognised(real: Mapping[str, Real], generated: Mapping[str, Sequence[Described]]) -> dict[str, dict]:
    if len(real) < 2 or any(len(entry.train) == 0 for entry in real.values()):
        return {genre: {"recognised": None} for genre in generated}
    classifier = GenreClassifier({genre: entry.train for genre, entry in real.items()})
    result = {}
    for genre, pieces in generated.items():
        sets = {
            "made": np.concatenate([piece["features"] for piece in pieces]),
            "held_out": real[genre].held_out,
            "control": real[genre].control,
        }
        figures: dict[str, Any] = {name: classifier.share(genre, features) for name, features in sets.items()}
        figures |= {f"{name}_windows": len(features) for name, features in sets.items()}
        figures |= {f"{name}_taken_for": classifier.confusion(features) for name, features in sets.items()}
        result[genre] = {"recognised": figures}
    return result


def _liveliness(real: Mapping[str, Real], generated: Mapping[str, Sequence[Described]]) -> dict[str, dict]:
    result = {}
    for genre, pieces in generated.items():
        ours, theirs = mean_measures(np.concatenate([piece["measures"] for piece in pieces])), asdict(real[genre].measures)
        errors = _standard_errors([asdict(mean_measures(piece["measures"])) for piece in pieces], RATIOS)
        result[genre] = {
            "liveliness": {
                "made": asdict(ours),
                "real": theirs,
                "control": asdict(real[genre].control_measures),
                "ratio": _ratios(asdict(ours), theirs, RATIOS),
                "ratio_error": _ratios(errors, theirs, RATIOS),
                "tempo_error": tempo_error(ours.tempo, theirs["tempo"]),
            }
        }
    return result


def _notes(real: Mapping[str, Real], generated: Mapping[str, Sequence[Described]]) -> dict[str, dict]:
    result = {}
    for genre, pieces in generated.items():
        ours = asdict(mean_figures(np.concatenate([piece["notes"] for piece in pieces])))
        theirs, control = asdict(real[genre].notes), asdict(real[genre].control_notes)
        errors = _standard_errors([asdict(mean_figures(piece["notes"])) for piece in pieces], NAMES)
        sides = {"made": ours, "real": theirs, "control": control}
        ratios = {"ratio": ours, "ratio_error": errors, "control_ratio": control}
        result[genre] = {"notes": sides | {name: _ratios(side, theirs, NAMES) for name, side in ratios.items()}}
    return result


def _ratios(figures: Mapping[str, float], real: Mapping[str, float], names: Sequence[str]) -> dict[str, float | None]:
    return {name: figures[name] / real[name] if real[name] else None for name in names}


def _standard_errors(performances: Sequence[Mapping[str, float]], names: Sequence[str]) -> dict[str, float]:
    """Of the mean of each of `names` over the performances that have it: they differ as pieces of one genre do. NaN of one."""
    result = {}
    for name in names:
        values = [each[name] for each in performances if math.isfinite(each[name])]
        result[name] = float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return result


def _image(real: Mapping[str, Real], generated: Mapping[str, Sequence[Described]]) -> dict[str, dict]:
    sides = {genre: {"made": mean_image(pieces), "real": real[genre].image} for genre, pieces in generated.items()}
    return {
        genre: {"image": {side: dict(zip(IMAGE, values.tolist(), strict=True)) for side, values in both.items()}}
        for genre, both in sides.items()
    }


def _frechet(real: Mapping[str, Real], generated: Mapping[str, Sequence[Described]]) -> dict[str, dict]:
    mels = {genre: [piece["mels"] for piece in pieces] for genre, pieces in generated.items()}
    theirs = {genre: entry.mels() for genre, entry in real.items()}
    seconds = min(available_s(entry) for entry in [*mels.values(), *theirs.values()])
    motions = {genre: motion(entry, seconds) for genre, entry in theirs.items()}
    result = {}
    for genre in generated:
        ours = motion(mels[genre], seconds)
        to = {other: frechet(ours, motions[other]) for other in real}
        halves = [piece[: len(piece) // 2] for piece in theirs[genre]], [piece[len(piece) // 2 :] for piece in theirs[genre]]
        floor_s = min(seconds, *(available_s(half) for half in halves))
        others = [distance for other, distance in to.items() if other != genre]
        result[genre] = {
            "frechet": {
                "seconds": seconds,
                "own": to[genre],
                "to": to,
                "nearest_other": min(others) if others else None,
                "own_nearest": to[genre] < min(others, default=math.inf),
                "floor": frechet(motion(halves[0], floor_s), motion(halves[1], floor_s)),
                "floor_seconds": floor_s,
                "control": frechet(motion(real[genre].mels(control=True), seconds), motions[genre]),
            }
        }
    return result


def _copying(real: Mapping[str, Real], generated: Mapping[str, Sequence[Described]]) -> dict[str, dict]:
    known = [piece for entry in real.values() for piece in entry.pieces if piece.known_s]
    training = [copying.columns(piece.known_mels) for piece in known]
    means = {
        genre: copying.mean_spectrum(
            [columns for piece, columns in zip(known, training, strict=True) if piece.track.genre == genre]
        )
        for genre in generated
    }
    result = {}
    for genre, pieces in generated.items():
        sides = [copying.columns(piece["mels"]) for piece in pieces], [copying.columns(p.held_out_mels) for p in real[genre].pieces]

        def of(bands: slice, sides=sides, mean=means[genre]) -> dict[str, Any]:
            ours, theirs, all_training = ([picture[:, bands] for picture in side] for side in (*sides, training))
            return _nearness(ours, theirs, all_training, mean[bands], known)

        layers = {name: of(bands) for name, bands in copying.LAYERS.items()}
        result[genre] = {"copying": {f"{copying.LENGTH_S}s": of(copying.WHOLE), "layers": layers}}
    return result


def _nearness(
    generated: Sequence[np.ndarray],
    held_out: Sequence[np.ndarray],
    training: Sequence[np.ndarray],
    mean: np.ndarray,
    known: Sequence[Piece],
) -> dict[str, Any]:
    """How near the pictures [T, bands] of `generated` and of `held_out` music come to `training`, those of the pieces `known`."""
    windows, places = copying.queries(generated, copying.LENGTH_S, mean)
    held, _ = copying.queries(held_out, copying.LENGTH_S, mean)
    ours = copying.nearest(windows, training, copying.LENGTH_S, mean)
    theirs = copying.nearest(held, training, copying.LENGTH_S, mean).distance
    near = float(np.percentile(theirs, 5)) if len(theirs) else None
    figures: dict[str, Any] = {"made": _spread(ours.distance), "held_out": _spread(theirs)}
    figures["nearer"] = None if near is None or not places else float(np.mean(ours.distance < near))
    if places and known:
        first = int(ours.distance.argmin())
        piece = known[ours.piece[first]]
        figures["closest"] = {
            "made": {"piece": places[first][0], "at_s": places[first][1]},
            "training": {"file": piece.track.path.name, "at_s": piece.start_s + ours.at_s[first]},
        }
    return figures


def _spread(distances: np.ndarray) -> dict[str, float] | None:
    if not len(distances):
        return None
    return dict(zip(("least", "p5", "median"), np.percentile(distances, (0, 5, 50)).tolist(), strict=True))


def _overall(genres: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Shares over all windows; means over the genres of what the model says of held-out music."""
    result: dict[str, Any] = {"recognised": None, "own_nearest": all(entry["frechet"]["own_nearest"] for entry in genres.values())}
    shares = [entry["recognised"] for entry in genres.values()]
    if all(shares):
        result["recognised"] = {}
        for name in ("made", "held_out", "control"):
            counts = {number: entry[f"{name}_windows"] for number, entry in enumerate(shares) if entry[f"{name}_windows"]}
            total = sum(counts.values())
            share = sum(shares[number][name] * count for number, count in counts.items()) / total if total else None
            result["recognised"] |= {name: share, f"{name}_windows": total}
    for name in ("prediction", "codec"):
        result[name] = _mean([entry[name] for entry in genres.values() if entry[name] is not None])
    return result


def _mean(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Key by key, of the keys that all `entries` have; lengths (`frames`, `seconds`) are added up."""
    if not entries:
        return None
    result: dict[str, Any] = {}
    for key in entries[0]:
        values = [entry[key] for entry in entries if key in entry]
        if len(values) == len(entries):
            nested = isinstance(values[0], Mapping)
            result[key] = _mean(values) if nested else sum(values) if key in ("frames", "seconds") else float(np.mean(values))
    return result


def _plain(value: Any) -> Any:
    """For JSON: six digits of every number (the rest is the processor's), None for what is not finite."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    return float(f"{float(value):.6g}") if math.isfinite(value) else None
