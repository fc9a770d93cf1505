"""How alive audio is, as numbers to set beside those of real music. Pure functions on mono float32 `audio` [n] at `rate` Hz.

They are ratios or shares and mean little alone: compare rendered with real audio of the same genre and about the same length.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

SILENT_DBFS = -50.0
WINDOW_S = 0.5
"""Silence and repeats are counted in windows of this length."""
COPY_RATE = 12000
"""Copies are looked for at this rate, below 6 kHz."""
ONSET_HOP = 256
SLOWEST_BPM, FASTEST_BPM = 60.0, 180.0
CHORD_S = 0.5


@dataclass(frozen=True)
class Measures:
    """All of them for one piece of audio; `tempo` is in BPM, `silence` and `repeats` are shares, `chroma_change` per 10 s."""

    silence: float
    repeats: float
    peakiness: float
    flux: float
    pulse: float
    tempo: float
    chroma_change: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def measure(audio: np.ndarray, rate: int) -> Measures:
    """Every measure of mono `audio` [n]; at least four seconds are needed for a pulse (ValueError below one second)."""
    if len(audio) < rate:
        raise ValueError("at least one second of audio is needed")
    clarity, tempo = pulse(audio, rate)
    return Measures(
        silence(audio, rate),
        repeats(audio, rate),
        peakiness(audio, rate),
        flux(audio, rate),
        clarity,
        tempo,
        chroma_change(audio, rate),
    )


def silence(audio: np.ndarray, rate: int) -> float:
    """Share of half-second windows whose RMS is below `SILENT_DBFS`."""
    power = np.mean(np.square(_windows(audio, round(WINDOW_S * rate)), dtype=np.float64), axis=1)
    return float(np.mean(power < 10 ** (SILENT_DBFS / 10)))


def repeats(audio: np.ndarray, rate: int) -> float:
    """Share of half-second windows that stick: nothing moves in them, or they are a copy of audio at most 8 windows earlier.

    Nothing moves: the log-mel spectrum changes by less than 0.01 (in log10) from frame to frame. A copy: the best-aligned
    normalised correlation with an earlier window exceeds 0.98. Steady tones of real music count too, so compare with real.
    """
    import soxr

    moves = np.abs(np.diff(log_mel(audio, rate), axis=1)).mean(axis=0)  # per frame
    size = round(WINDOW_S * COPY_RATE)
    audio = soxr.resample(np.asarray(audio, np.float64), rate, COPY_RATE)
    windows = _windows(audio, size)
    if len(windows) < 2:
        return 0.0
    per = len(moves) * size / len(audio)
    energy = np.sum(windows**2, axis=1)
    sums = np.concatenate([[0.0], np.cumsum(audio**2)])
    spectra = np.conj(np.fft.rfft(windows, 2 * size))
    pasts = np.fft.rfft(np.concatenate([windows[:-1], windows[1:]], axis=1))  # of window k with the one after it
    stuck = 0
    for index in range(1, len(windows)):
        if energy[index] / size < 10 ** (SILENT_DBFS / 10):
            continue  # silence is counted elsewhere
        if np.median(moves[round(index * per) : round((index + 1) * per)]) < 0.01:
            stuck += 1
            continue
        for begin in range(max(0, index - 8), index):
            lags = np.arange(size if begin < index - 1 else size // 2)  # not the window itself, nor a step beside it
            products = np.fft.irfft(pasts[begin] * spectra[index])[: len(lags)]
            powers = sums[begin * size + lags + size] - sums[begin * size + lags]
            if np.max(products / np.sqrt(np.maximum(powers * energy[index], 1e-12))) > 0.98:
                stuck += 1
                break
    return stuck / len(windows)


def peakiness(audio: np.ndarray, rate: int) -> float:
    """Spectral crest: the median over frames of the maximum over the mean of the magnitude below 6 kHz (n_fft 4096).

    Noise is near 4, a chord several times that. Frames 40 dB below the loudest are left out.
    """
    from librosa import stft

    magnitudes = np.abs(stft(audio, n_fft=4096, hop_length=1024))[: int(6000 / rate * 4096)]
    mean = magnitudes.mean(axis=0)
    heard = mean > max(0.01 * mean.max(), 1e-9)
    return float(np.median(magnitudes[:, heard].max(axis=0) / mean[heard])) if heard.any() else 0.0


def flux(audio: np.ndarray, rate: int) -> float:
    """Mean change of the log-mel spectrum (`log_mel`) from frame to frame."""
    return float(np.abs(np.diff(log_mel(audio, rate), axis=1)).mean())


def pulse(audio: np.ndarray, rate: int) -> tuple[float, float]:
    """Pulse clarity in 0..1 and tempo in BPM.

    Clarity is the height of the strongest autocorrelation peak of the onset envelope at 60-180 BPM, relative to lag 0. The tempo
    is the lag that is strong together with its double and its fourfold (which tells a beat from its triplets, not from its
    octaves: compare tempos with `tempo_error`), refined at up to 16 times its length, where it is read 16 times as finely.
    """
    envelope, per_second = _onsets(audio, rate)
    clarity, correlation = beat_clarity(envelope, per_second)
    if not len(correlation):
        return 0.0, 0.0
    count = len(envelope)
    first, last = _beats(per_second)
    lags = np.arange(first, last + 1)
    support = sum(_around(correlation, lags * times, times) for times in (1, 2, 4) if last * times + times < 0.75 * count)
    lag = first + int(np.argmax(support))
    fine = _vertex(correlation, lag)
    for times in (2, 4, 8, 16):
        if times * fine + 3 > count * 0.6:
            break
        reach = max(2, round(times * 0.4))
        middle = round(times * fine)
        near = middle - reach + int(np.argmax(correlation[middle - reach : middle + reach + 1]))
        if correlation[near] < 0.3 * clarity:
            break  # the beat does not hold that long
        fine = _vertex(correlation, near) / times
    return clarity, float(60 * per_second / fine)


def beat_clarity(envelope: np.ndarray, per_second: float) -> tuple[float, np.ndarray]:
    """The clarity of `pulse` in 0..1, and the autocorrelation [n] that it is read from, of any onset envelope [n].

    0 and [0] of an envelope that does not move, or is shorter than two of the slowest beats.
    """
    envelope = envelope - envelope.mean()
    count = len(envelope)
    spectrum = np.fft.rfft(envelope, 2 * count)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[:count]
    first, last = _beats(per_second)
    if correlation[0] <= 1e-9 or last + 1 >= count // 2:
        return 0.0, correlation[:0]
    # unbiased: a lag of half the piece has half the products
    correlation = correlation / correlation[0] * count / np.maximum(count - np.arange(count), 1)
    return float(np.clip(correlation[first : last + 1].max(), 0.0, 1.0)), correlation


def blurred(rises: np.ndarray, per_second: float) -> np.ndarray:
    """An onset envelope over 50 ms: players are not machines, and a beat 10 ms late is still the beat."""
    blur = np.hanning(2 * round(0.029 * per_second) + 1)[1:-1]
    return np.convolve(rises, blur / blur.sum(), "same")


def tempo_error(tempo: float, wanted: float) -> float:
    """Relative error of `tempo` against `wanted` with octaves folded: 0.01 is one per cent, also when it is twice as fast."""
    if tempo <= 0 or wanted <= 0:
        return 1.0
    octaves = np.log2(tempo / wanted)
    return float(abs(2 ** (octaves - round(octaves)) - 1))


def common_tempo(tempos: Sequence[float]) -> float:
    """The one of several `tempos` (BPM) that is nearest to the others with octaves folded: their median, so to say."""
    return min(tempos, key=lambda one: sum(tempo_error(one, other) for other in tempos))


def chroma_change(audio: np.ndarray, rate: int) -> float:
    """How often the harmony moves: changes of the dominant chord per 10 s.

    The chroma of every half second is compared with the 24 major and minor triads (template matching: Fujishima 1999). Where no
    chord stands out (noise, drums alone, silence) the last one is held, and one that lasts half a second between two others is
    passed over.
    """
    from librosa.feature import chroma_stft

    per = max(1, round(CHORD_S * rate / 2048))
    chroma = chroma_stft(y=np.asarray(audio, np.float32), sr=rate, n_fft=8192, hop_length=2048, tuning=0.0, norm=None)
    count = chroma.shape[1] // per
    if count < 2:
        return 0.0
    chroma = chroma[:, : count * per].reshape(12, count, per).mean(axis=2)
    level, deviation = chroma.mean(axis=0), chroma.std(axis=0)
    clear = (deviation > 0.2 * level) & (level > 1e-4 * level.max())
    likeness = _TRIADS @ (chroma - level) / np.maximum(deviation, 1e-12) / np.sqrt(12)
    chords = likeness.argmax(axis=0)
    chords = chords[clear & (likeness.max(axis=0) > 0.4)]
    for index in range(1, len(chords) - 1):
        if chords[index - 1] != chords[index] != chords[index + 1]:
            chords[index] = chords[index - 1]
    return float(10 * np.count_nonzero(np.diff(chords)) / (count * per * 2048 / rate))


def _triads() -> np.ndarray:
    """Major and minor triads [24, 12] over the pitch classes, each of mean 0 and length 1."""
    chords = np.array(
        [[(note - root) % 12 in (0, third, 7) for note in range(12)] for third in (4, 3) for root in range(12)], float
    )
    chords -= chords.mean(axis=1, keepdims=True)
    return chords / np.linalg.norm(chords, axis=1, keepdims=True)


_TRIADS = _triads()


def _windows(audio: np.ndarray, size: int) -> np.ndarray:
    return audio[: len(audio) // size * size].reshape(-1, size)


def log_mel(audio: np.ndarray, rate: int) -> np.ndarray:
    """Log-mel spectrum [80, frames] of mono `audio` [n]: n_fft 2048, hop 512, magnitude, log10 with floor 1e-4."""
    from librosa.feature import melspectrogram

    mel = melspectrogram(y=np.asarray(audio, np.float32), sr=rate, n_fft=2048, hop_length=512, n_mels=80, power=1.0)
    return np.log10(np.maximum(mel, 1e-4))


def _onsets(audio: np.ndarray, rate: int) -> tuple[np.ndarray, float]:
    """Onset strength and its frames per second: the rise of the log-mel spectrum, summed over bands."""
    from librosa.feature import melspectrogram

    mel = melspectrogram(y=np.asarray(audio, np.float32), sr=rate, n_fft=1024, hop_length=ONSET_HOP, n_mels=40, power=1.0)
    loudness = np.log10(np.maximum(mel, 1e-3 * max(float(mel.max()), 1e-6)))
    rises = np.maximum(np.diff(loudness, axis=1), 0).sum(axis=0)
    return blurred(rises, rate / ONSET_HOP), rate / ONSET_HOP


def _beats(per_second: float) -> tuple[int, int]:
    """The shortest and the longest lag that is a beat, in frames."""
    return int(60 / FASTEST_BPM * per_second), int(60 / SLOWEST_BPM * per_second) + 1


def _around(values: np.ndarray, indices: np.ndarray, reach: int) -> np.ndarray:
    """The largest of `values` within less than `reach` of each index: a lag's double may fall between two doubles."""
    return np.max([values[indices + step] for step in range(1 - reach, reach)], axis=0)


def _vertex(values: np.ndarray, index: int) -> float:
    """Where the parabola through the peak at `index` and its neighbours has its top."""
    if not 0 < index < len(values) - 1:
        return float(index)
    left, middle, right = values[index - 1 : index + 2]
    bend = left - 2 * middle + right
    return index + float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < 0 else float(index)
