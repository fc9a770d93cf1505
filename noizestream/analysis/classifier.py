"""Does it sound like the genre asked for? A scikit-learn classifier on librosa features of 2-second windows.

The features are the FMA data set's own (Defferrard et al., 2017): chroma, tonnetz, MFCC, spectral contrast, centroid, bandwidth,
roll-off, RMS and zero crossings, each as seven statistics over the window. The answer speaks of timbre only: real frames shuffled
in time (`shuffled`) are recognised as well as the real thing, so it counts only together with pulse and flux.
"""

from collections.abc import Mapping

import numpy as np

from noizestream.music import compiled

WINDOW_S = 2.0
HOP_S = 1.0
RATE = 22050
"""Features are taken at this rate: above 11 kHz an MP3's cut-off would tell the corpus, not the genre."""
FFT, HOP = 2048, 512
STATISTICS = 7
FEATURES = 50 * STATISTICS


def window_features(audio: np.ndarray, rate: int) -> np.ndarray:
    """Features [windows, FEATURES] float32 of mono `audio` [n], a window of `WINDOW_S` every `HOP_S`; none if too short."""
    import soxr

    audio = soxr.resample(np.asarray(audio, np.float32), rate, RATE, quality="HQ") if rate != RATE else audio
    size, hop = round(WINDOW_S * RATE / HOP), HOP_S * RATE / HOP
    if len(audio) < size * HOP:
        return np.zeros((0, FEATURES), np.float32)
    frames = _frame_features(audio)
    starts = [round(index * hop) for index in range(int((frames.shape[1] - size) / hop) + 1)]
    return np.stack([_statistics(frames[:, start : start + size]) for start in starts]).astype(np.float32)


def shuffled(audio: np.ndarray, seed: int = 0) -> np.ndarray:
    """The control: the spectral frames of mono `audio` [n] in random order with random phases. Its timbre, and no more."""
    librosa = compiled.librosa()
    random = np.random.default_rng(seed)
    magnitudes = np.abs(librosa.stft(np.asarray(audio, np.float32), n_fft=2048, hop_length=512))
    magnitudes = magnitudes[:, random.permutation(magnitudes.shape[1])]
    phases = np.exp(2j * np.pi * random.random(magnitudes.shape, np.float32)).astype(np.complex64)
    result = librosa.istft(magnitudes * phases, n_fft=2048, hop_length=512, length=len(audio))
    # Frames that do not fit their neighbours partly cancel in the overlap; level is a feature, so give it back.
    return result * np.sqrt(np.sum(np.square(audio)) / max(np.sum(np.square(result)), 1e-12)).astype(np.float32)


class GenreClassifier:
    """Logistic regression on standardised features, every genre weighted alike; fitted at once from real windows per genre."""

    def __init__(self, windows: Mapping[str, np.ndarray]):
        """`windows`: genre -> features [n, FEATURES]. ValueError with fewer than two genres or a genre without windows."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import StandardScaler

        self.genres = tuple(sorted(windows))
        if len(self.genres) < 2 or any(len(windows[genre]) == 0 for genre in self.genres):
            raise ValueError("a classifier needs at least two genres with two seconds of audio each")
        labels = np.concatenate([[genre] * len(windows[genre]) for genre in self.genres])
        features = np.concatenate([windows[genre] for genre in self.genres])
        self._scaler = StandardScaler().fit(features)
        self._model = LogisticRegression(C=0.02, class_weight="balanced", max_iter=500).fit(self._scaled(features), labels)

    def _scaled(self, features: np.ndarray) -> np.ndarray:
        # Skew and kurtosis run away on a window with one click; beyond 4 deviations they say no more.
        return np.clip(self._scaler.transform(features), -4, 4)

    def predict(self, features: np.ndarray) -> np.ndarray:
        """The genre [n] of each window."""
        return self._model.predict(self._scaled(features)) if len(features) else np.array([], dtype=str)

    def share(self, genre: str, features: np.ndarray) -> float:
        """Share of windows recognised as `genre`, 0..1 (NaN without windows)."""
        return float(np.mean(self.predict(features) == genre)) if len(features) else float("nan")

    def confusion(self, features: np.ndarray) -> dict[str, float]:
        """What the windows are taken for: genre -> share."""
        return {genre: self.share(genre, features) for genre in self.genres}


def _frame_features(audio: np.ndarray) -> np.ndarray:
    """[50, frames]"""
    librosa = compiled.librosa()
    of = librosa.feature
    magnitudes = np.abs(librosa.stft(audio, n_fft=FFT, hop_length=HOP))
    power = magnitudes**2
    chroma = of.chroma_stft(S=power, sr=RATE, tuning=0.0)
    mel = of.melspectrogram(S=power, sr=RATE)
    rows = [
        chroma,
        of.tonnetz(chroma=chroma),
        of.mfcc(S=librosa.power_to_db(mel, ref=1.0, top_db=None), n_mfcc=20),
        of.spectral_contrast(S=magnitudes, sr=RATE),
        of.spectral_centroid(S=magnitudes, sr=RATE),
        of.spectral_bandwidth(S=magnitudes, sr=RATE),
        of.spectral_rolloff(S=magnitudes, sr=RATE),
        of.rms(S=magnitudes, frame_length=FFT),
        of.zero_crossing_rate(audio, frame_length=FFT, hop_length=HOP),
    ]
    count = min(row.shape[1] for row in rows)
    return np.concatenate([row[:, :count] for row in rows])


def _statistics(frames: np.ndarray) -> np.ndarray:
    """Mean, deviation, skew, kurtosis, median, least and largest of every row of `frames` [50, t], as one vector [FEATURES]."""
    mean, deviation = frames.mean(axis=1), frames.std(axis=1)
    unit = (frames - mean[:, None]) / np.maximum(deviation, 1e-8)[:, None]
    still = deviation < 1e-8
    skew = np.where(still, 0.0, np.mean(unit**3, axis=1))
    kurtosis = np.where(still, 0.0, np.mean(unit**4, axis=1) - 3)
    parts = [mean, deviation, skew, kurtosis, np.median(frames, axis=1), frames.min(axis=1), frames.max(axis=1)]
    return np.nan_to_num(np.concatenate(parts))
