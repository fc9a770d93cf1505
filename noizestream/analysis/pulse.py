"""The beat: how clear it is, and its tempo. Pure functions on mono float32 `audio` [n] at `rate` Hz, or on an onset envelope."""

from collections.abc import Sequence

import numpy as np

from noizestream.music import compiled

ONSET_HOP = 256
SLOWEST_BPM, FASTEST_BPM = 60.0, 180.0


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


def _onsets(audio: np.ndarray, rate: int) -> tuple[np.ndarray, float]:
    """Onset strength and its frames per second: the rise of the log-mel spectrum, summed over bands."""
    melspectrogram = compiled.librosa().feature.melspectrogram
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
