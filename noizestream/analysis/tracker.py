"""Notes of audio, by a tracker of our own: rough, but rough alike on what is made and what is real.

mono -> constant-Q, 36 bins an octave, 23 ms -> peaks well above their surroundings -> less the partials of stronger, lower ones
     -> on the semitones of the piece's own tuning -> notes: begun by a clear peak, held by a weaker one, ended by a gap
"""

from dataclasses import dataclass

import numpy as np

from noizestream.music import compiled

RATE = 22050
HOP = 512
STEP_S = HOP / RATE
LOWEST_HZ = 440 * 2 ** (-37 / 12)
PER_SEMITONE = 3
SEMITONES = 76
"""From G#1 to 4.2 kHz: lower lies the bass drum, which is louder than any note and has none."""
BEGINS_DB, HOLDS_DB = 12.0, 6.0
"""A note begins with a peak so far above its surroundings (an octave either way), and is held by one so far above."""
DEPTH_DB = 45.0
"""Peaks so far under the loudest one of the stretch are not heard."""
BESIDE_DB, BESIDE = 24.0, 7
"""Nor is one so far under another within so many semitones: it may be a side lobe of the window, and would hardly be heard."""
ECHO_DB = 12.0
"""So far under another, a step away or less, its pitch may be that of a window in which two notes meet."""
OVER_DB = 20.0
"""A note that has fallen so far from its loudest step is over."""
STRUCK_DB = 6.0
"""A note that has become softer, and gets so much louder within `STRUCK_STEPS`, is struck again."""
STRUCK_STEPS = 3
GAP_STEPS = 2
"""Steps that a note may be away for."""
LEAST_STEPS, CLEAR_STEPS = 4, 3
"""A note has so many steps, and so many of them are clear and no further than `BETWEEN` from its semitone."""
BETWEEN = 0.25
NEIGHBOURS = 1
PARTIAL_DB = 24.0
"""What is softer than the note it would be a partial of by more than this, is a note: a bass drum does not swallow a melody."""
PARTIALS = (2, 3, 4, 5, 6, 7, 8)


@dataclass(frozen=True)
class Peaks:
    """Per peak, in order of time: `step` [p], `pitch` [p] in semitones above G#1 (not rounded), `level` and `height` [p] in dB.

    `height` is how far it stands above its surroundings; `clear` [p] is whether it could begin a note and is no echo beside one.
    """

    step: np.ndarray
    pitch: np.ndarray
    level: np.ndarray
    height: np.ndarray
    clear: np.ndarray


@dataclass(frozen=True)
class Notes:
    """Per note: `pitch` [k] int64 in semitones above G#1, on a grid off by `tuning` (-.5 to .5); `start_s` and `length_s` [k]."""

    pitch: np.ndarray
    start_s: np.ndarray
    length_s: np.ndarray
    tuning: float


def constant_q(mono: np.ndarray, rate: int) -> np.ndarray:
    """Magnitudes [T, SEMITONES * PER_SEMITONE] of mono float32 `mono` [n] at `rate` Hz, every `STEP_S`; bin 0 is at `LOWEST_HZ`.

    The windows of the bass are kept short (`gamma`), so that its notes have a beginning; its pitch is read off between the bins.
    """
    import soxr

    audio = np.asarray(mono, np.float32)
    audio = soxr.resample(audio, rate, RATE, quality="HQ") if rate != RATE else audio
    audio = np.pad(audio, (0, max(0, RATE - len(audio))))
    bins = SEMITONES * PER_SEMITONE
    per_octave = 12 * PER_SEMITONE
    vqt = compiled.librosa().vqt
    done = vqt(audio, sr=RATE, hop_length=HOP, fmin=LOWEST_HZ, n_bins=bins, bins_per_octave=per_octave, gamma=8.0, tuning=0.0)
    return np.abs(done).T[: max(1, round(len(mono) / rate / STEP_S))]


def find_peaks(magnitudes: np.ndarray) -> Peaks:
    """Peaks of `constant_q` that stand at least `HOLDS_DB` above their surroundings, without partials of stronger, lower ones."""
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    level = 20 * np.log10(np.maximum(magnitudes, 1e-9))
    around = uniform_filter1d(level, 24 * PER_SEMITONE + 1, axis=1, mode="nearest")
    inner = level[:, 1:-1]
    top = (inner >= level[:, :-2]) & (inner > level[:, 2:])
    top &= inner - around[:, 1:-1] > HOLDS_DB
    loudest = maximum_filter1d(level, 2 * BESIDE * PER_SEMITONE + 1, axis=1)[:, 1:-1]
    top &= (inner > max(level.max() - DEPTH_DB, -100.0)) & (inner > loudest - BESIDE_DB)
    step, index = np.nonzero(top)
    index = index + 1
    below, here, above = (level[step, index + shift] for shift in (-1, 0, 1))
    bend = np.maximum(2 * here - below - above, 1e-9)
    pitch = (index + np.clip((above - below) / (2 * bend), -0.5, 0.5)) / PER_SEMITONE
    height = here - around[step, index]
    near = maximum_filter1d(loudest, 2 * NEIGHBOURS + 1, axis=0)[step, index - 1]
    clear = (height > BEGINS_DB) & (here > near - ECHO_DB)
    keep = ~_partials(step, pitch, here, len(level))
    return Peaks(step[keep], pitch[keep], here[keep], height[keep], clear[keep])


def _partials(step: np.ndarray, pitch: np.ndarray, level: np.ndarray, count: int) -> np.ndarray:
    """Whether each peak [p] lies on a partial of a peak that is as strong, and not far stronger.

    Of the same step, or of one beside it, as the windows of the bass are longer than those of its partials.
    """
    from scipy.ndimage import maximum_filter1d

    grid = np.full((count, SEMITONES * PER_SEMITONE), -np.inf)
    place = np.round(pitch * PER_SEMITONE).astype(int)
    grid[step, place] = level
    grid = maximum_filter1d(grid, 2 * NEIGHBOURS + 1, axis=0)
    found = np.zeros(len(step), bool)
    for number in PARTIALS:
        lower = place - round(12 * PER_SEMITONE * float(np.log2(number)))
        for shift in (-1, 0, 1):
            at = lower + shift
            inside = (at >= 0) & (at < grid.shape[1])
            above = grid[step[inside], at[inside]] - level[inside]
            found[inside] |= (above >= 0) & (above < PARTIAL_DB)
    return found


def tuning(peaks: Peaks) -> float:
    """How far the piece lies off the grid of A 440, in semitones (-.5 to .5), from its clear peaks, each counting alike."""
    if not peaks.clear.any():
        return 0.0
    return float(np.angle(np.exp(2j * np.pi * peaks.pitch[peaks.clear]).mean()) / (2 * np.pi))


def track(peaks: Peaks, steps: int) -> Notes:
    """The notes of `peaks` over `steps` steps of `STEP_S`."""
    off = tuning(peaks)
    nearest = np.round(peaks.pitch - off).astype(int)
    level = np.full((SEMITONES + 1, steps), -np.inf)
    clear = np.zeros((SEMITONES + 1, steps), bool)
    place = (np.clip(nearest, 0, SEMITONES), peaks.step)
    np.maximum.at(level, place, peaks.level)
    np.logical_or.at(clear, place, peaks.clear & (np.abs(peaks.pitch - off - nearest) <= BETWEEN))
    pitches: list[int] = []
    starts: list[int] = []
    lengths: list[int] = []
    for pitch in np.flatnonzero(clear.any(axis=1)).tolist():
        for first, last in _runs(level[pitch], clear[pitch]):
            pitches.append(pitch)
            starts.append(first)
            lengths.append(last - first)
    return Notes(np.array(pitches, np.int64), np.array(starts) * STEP_S, np.array(lengths) * STEP_S, off)


def _runs(level: np.ndarray, clear: np.ndarray) -> list[tuple[int, int]]:
    """(first, last + 1) steps of the notes of one pitch, of whose peaks these are the levels [T] (-inf: none); `clear` [T]."""
    runs: list[tuple[int, int]] = []
    first, last = -1, -1 - 2 * GAP_STEPS  # of the note that sounds, -1 for none; of the peaks
    loudest, recent = 0.0, [0.0]

    def end() -> None:
        if first >= 0 and last + 1 - first >= LEAST_STEPS and clear[first : last + 1].sum() >= CLEAR_STEPS:
            runs.append((first, last + 1))

    for step in np.flatnonzero(np.isfinite(level)).tolist():
        now = float(level[step])
        gone = step - last > GAP_STEPS + 1
        struck = gone or (now - min(recent) > STRUCK_DB and loudest - min(recent) > STRUCK_DB / 2)
        if struck or now < loudest - OVER_DB:
            end()
            first = -1
        if struck:
            first, loudest, recent = step, now, []
        # What is left of a note that is over begins no other; it has to be struck.
        last, loudest, recent = step, max(loudest, now), [*recent[1 - STRUCK_STEPS :], now]
    end()
    return runs
