"""What is set after training, per genre, by listening to the model: how widely it samples, how loud and how sharp its bands are.

Spread: the deviations cover what the model cannot predict; sampled in full they flutter, too narrow they stand still. It is
set so that the generated sound moves as much as the real music and a little more (spectral flux).
Contrast: where the model is unsure it predicts the mean of several spectra, which is flatter than any of them, as in all
parametric synthesis (Toda and Tokuda 2007). Partials are raised over their surroundings until the sound is as peaked as the music.
Accent: with little music, or uneven beats, the clock network learns the beat more faintly than it was played. Where a stronger one
brings a clearer pulse, it is taken further from its mean over all phases until the pulse is as clear as the music's.
Level: the mean of log magnitudes is quieter than the mean of magnitudes (Jensen's inequality), most of all for tones. What the
long-term spectrum lacks in power is given back, smoothed over neighbouring bands; less of it where the mean of logarithms is not
lower than the music's, or what is always there would be as loud as what comes and goes, and a little more where it is. In stereo
likewise pan and width of every band: errors of the codec make everything a little wide, also the bass, which belongs in the middle.
Timbre: see timbre.py. Recall: see repeating.py.
All but recall are steered at once: a try is generated, each is moved by what it is off, by less from try to try; what holds in the
end is the mean over the last tries. Recall is set before these, so that they hear what will be played.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from noizestream.nn.player import CALIBRATED, Player
from noizestream.nn.spectral import FLOOR, IMAGE_EDGES_HZ, SpectralFront
from noizestream.training.perform import generate, one_hot
from noizestream.training.prepared import Piece, Prepared
from noizestream.training.repeating import QUIETEST, calibrate_recall, performed_s
from noizestream.training.timbre import Timbre, Watched

HIGHEST_SPREAD = 1.0
LIVELIER = 1.06  # than the music, in flux: it hardly depends on the spread, and what is played wider is more of its genre
LEAST_CONTRAST, MOST_CONTRAST = 0.6, 1.6
STANDING = 1.3  # contrast for all of the music's peakiness that is missing
MOST_ACCENT = 3.0
PULSED = 0.9  # share of the music's pulse that is enough
PULSE_STARTS = 4  # that tell whether it does, with and without
HELPED = 0.2  # share of the missing pulse that twice the accent must bring, or the beat is not the clock's
SETTLED = 0.6  # share of the tries, at the end, whose mean is taken: each has a start of its own and one second of warm-up
SEEDS = 1000  # from here on
MOST_LEVEL = 2.0  # nepers: 17 dB
FAINT = 0.2  # nepers: so much more than what the power lacks is given to bands whose quiet moments are fainter than the music's
MOST_IMAGE = 0.5  # of pan and width
SMOOTH = 2.0  # ERB: wider, and the bass would be levelled with what is above it; narrower, single partials would be
PIECES, REAL_FRAMES = 20, 6000


def rendered_s(seconds: float, tries: int, performances: int) -> float:
    """What a calibration generates of one genre, at most."""
    return (tries + 2 * PULSE_STARTS) * (seconds + 1) + performances * (performed_s(seconds) + 1)


def calibrate(
    player: Player, scripted: Any, prepared: Prepared, seconds: float, tries: int, performances: int, least_spread: float
) -> dict[str, list[float]]:
    """Set `player`'s `CALIBRATED` and its recall; returns what was set and measured.

    Each of the `tries` (at least 1) generates `seconds`; for the recall so many `performances` (at least 2) are heard. No genre is
    sampled less widely than `least_spread`. `scripted` is the same player in any form, not frozen: it shares these tables with
    `player`.
    """
    from noizestream.analysis.measures import flux, peakiness

    sizes = (player.front.block, player.front.sample_rate, player.noise_size)
    front, rate, tones = player.front, player.front.sample_rate, player.front.tones
    real = [real_means(prepared, front, number, seconds) for number in range(len(prepared.genres))]
    per_second = rate / player.front.block
    made: list[list[float]] = []
    tables = [getattr(player, name) for name in CALIBRATED]
    smooth = smoothing(front)

    def pulse_with(accent: float, number: int) -> float:
        """The pulse at that accent, over `PULSE_STARTS`; the accent stays."""
        player.accent[number] = accent
        genre, seeds = one_hot(number, len(prepared.flux)), range(SEEDS - PULSE_STARTS, SEEDS)
        starts = [generate(scripted, genre, seconds, seed, sizes) for seed in seeds]
        return float(np.mean([clarity(front.analyse(sound)[:, :tones], per_second) for sound in starts]))

    for number, (flux_wanted, peak_wanted) in enumerate(zip(prepared.flux, prepared.peakiness, strict=True)):
        genre = one_hot(number, len(prepared.flux))
        settled, measured, accented = [], [], False
        loud, mean = torch.zeros(tones), torch.zeros(tones)  # of what is played, without its level
        if prepared.beaten[number] >= 0.5:
            plain = pulse_with(1.0, number)
            missing = PULSED * real[number].pulse - plain
            accented = missing > 0 and pulse_with(2.0, number) - plain > HELPED * missing
            player.accent[number] = 1.0
        pieces = recorded(prepared, number)
        timbre = Timbre(player, prepared, pieces, number, smooth, REAL_FRAMES)
        settling = math.floor((1 - SETTLED) * tries)
        for attempt in range(tries):
            if attempt == settling:
                seeds = range(SEEDS + tries, SEEDS + tries + performances)
                repeated = calibrate_recall(player, scripted, prepared, pieces, number, performed_s(seconds), seeds)
            watched = Watched(player)
            heard = generate(scripted, genre, seconds, SEEDS + attempt, sizes, watched)
            sound, bands = heard.mean(0), front.analyse(heard)
            timbre.heard(bands[:, :tones].mean(0) - player.level[number, :tones] - watched.timbre()[:tones], watched.mood())
            moves, peaks = flux(sound.numpy(), rate), peakiness(sound.numpy(), rate)
            beats = clarity(bands[:, :tones], per_second)
            move = 1.0 / (1.0 + 0.4 * attempt)
            rest = move**1.5  # its sum is finite: an image that went on moving would drift
            later = 2.0 / (attempt + 2.0)  # share of this try in the means over all: those before it were steered less well
            spread, contrast = float(player.spread[number]), float(player.contrast[number])
            spread *= _off(LIVELIER * flux_wanted, moves) ** (1.5 * move)
            # Not by the logarithm: performances differ by a third, and their mean is to be the music's, not their geometric mean.
            contrast += STANDING * move * max(1.0 - peaks / max(peak_wanted, 1e-6), -1.0)
            player.spread[number] = min(max(spread, least_spread), HIGHEST_SPREAD)
            player.contrast[number] = min(max(contrast, LEAST_CONTRAST), MOST_CONTRAST)
            if accented:
                accent = float(player.accent[number]) * _off(real[number].pulse, beats) ** move
                player.accent[number] = min(max(accent, 1.0), MOST_ACCENT)
            # Means over the tries, as over pieces: performances are as far apart as pieces are, and the mean of the logarithms of
            # their powers is well below the logarithm of the mean.
            unlevelled = bands[:, :tones] - player.level[number, :tones]
            loud += later * (power(unlevelled) - loud)
            mean += later * (unlevelled.mean(0) - mean)
            lacking = 0.5 * torch.log((real[number].power + FLOOR**2) / (loud + FLOOR**2))
            lacking = torch.minimum(lacking + FAINT, 0.5 * (lacking + real[number].mean - mean))
            player.level[number, :tones] = (smooth @ lacking).clamp(-MOST_LEVEL, MOST_LEVEL)
            off = real[number].image - mean_image(front, bands)
            player.level[number, tones:] = (player.level[number, tones:] + rest * off).clamp(-MOST_IMAGE, MOST_IMAGE)
            player.timbre[number] = timbre.table()
            if attempt >= settling:
                settled.append([table[number].clone() for table in tables])
                measured.append((moves, peaks, beats))
        for table, values in zip(tables, zip(*settled, strict=True), strict=True):
            table[number] = torch.stack(values).mean(0)
        made.append([*np.mean(measured, axis=0).tolist(), repeated])
    return {
        "spread": player.spread.tolist(),
        "contrast": player.contrast.tolist(),
        "accent": player.accent.tolist(),
        "hiss": player.hiss.tolist(),
        "recall": player.recall.chance.tolist(),
        "recall_slots": player.recall.lag.tolist(),
        "level": player.level[:, :tones].mean(1).tolist(),
        "flux_real": prepared.flux,
        "flux_made": [row[0] for row in made],
        "peakiness_real": prepared.peakiness,
        "peakiness_made": [row[1] for row in made],
        "pulse_real": [entry.pulse for entry in real],
        "pulse_made": [row[2] for row in made],
        "repeats_real": prepared.repeats,
        "repeats_made": [row[3] for row in made],
    }


@dataclass(frozen=True)
class Real:
    """Means over a genre's training music: `power` and `mean` of the log magnitudes [tones], `image` [2 * image], `pulse`."""

    power: torch.Tensor
    mean: torch.Tensor
    image: torch.Tensor
    pulse: float


def _off(wanted: float, made: float) -> float:
    """By what factor `made` is off, 0.5 to 2."""
    return min(max(wanted / max(made, 1e-6), 0.5), 2.0)


def power(bands: torch.Tensor) -> torch.Tensor:
    """Mean power of each band: log magnitudes [T, bands] -> [bands]."""
    return bands.exp().square().mean(0)


def mean_image(front: SpectralFront, bands: torch.Tensor) -> torch.Tensor:
    """Pan and width of each image band, loud frames counting most: bands [T, bands] -> [2 * image]; of a mono front [0]."""
    if not front.image:
        return bands.new_zeros(0)
    edges = torch.tensor(IMAGE_EDGES_HZ[1 : front.image], dtype=torch.float32)
    band_of = torch.nn.functional.one_hot(torch.bucketize(front.band_hz, edges, right=True), front.image).float()
    weight = bands[:, : front.tones].exp().square() @ band_of
    weight = weight / weight.sum(0)
    pan, width = bands[:, front.tones :].split(front.image, dim=1)
    return torch.cat([(weight * pan).sum(0), (weight * width.square()).sum(0).sqrt()])


def recorded(prepared: Prepared, genre: int) -> list[Piece]:
    """The training music of genre number `genre` as it was recorded, or enough of it."""
    return [piece for piece in prepared.of("training") if piece.semitones == 0 and piece.genre == genre][:PIECES]


def real_means(prepared: Prepared, front: SpectralFront, genre: int, seconds: float) -> Real:
    """Of genre number `genre`; the pulse over stretches of `seconds`, as long as what is compared with it."""
    powers, means, images, pulses = [], [], [], []
    per_second = front.sample_rate / front.block
    size = round(seconds * per_second)
    for piece in recorded(prepared, genre):
        bands = torch.from_numpy(np.asarray(prepared.bands_of(piece)[:REAL_FRAMES], np.float32))
        tones = bands[:, : front.tones]
        powers.append(power(tones))
        means.append(tones.mean(0))
        images.append(mean_image(front, bands))
        pulses += [clarity(tones[start : start + size], per_second) for start in range(0, max(1, len(tones) - size + 1), size)]
    return Real(torch.stack(powers).mean(0), torch.stack(means).mean(0), torch.stack(images).mean(0), float(np.mean(pulses)))


def clarity(tones: torch.Tensor, per_second: float) -> float:
    """How clear the pulse of log magnitudes [T, tones] is: `pulse.beat_clarity` of their rises."""
    from noizestream.analysis.pulse import beat_clarity, blurred

    rises = tones.clamp(min=float(tones.max()) - QUIETEST).diff(dim=0).relu_().sum(1).numpy()
    return beat_clarity(blurred(rises, per_second), per_second)[0]


def smoothing(front: SpectralFront) -> torch.Tensor:
    """[tones, tones]: means over as much as the ear hears as one, for the spectrum's shape is corrected, not its single partials.

    ERB, the equivalent rectangular bandwidth: 24.7 (1 + 4.37 kHz) Hz, Glasberg and Moore 1990.
    """
    hz = front.band_hz
    half = SMOOTH / 2 * 24.7 * (1 + 0.00437 * hz)
    near = ((hz[:, None] - hz[None]).abs() <= half[:, None]).float()
    return near / near.sum(1, keepdim=True)
