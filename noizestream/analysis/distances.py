"""How far a reconstruction is from its original: one figure for the spectrum as heard, one for the sharpness of its partials."""

import warnings

import numpy as np

from noizestream.music import compiled

FLOOR = 1e-4
SIZES = (512, 1024, 2048)
TONAL_FFT, TONAL_HZ = 4096, 6000.0


def codec_distance(original: np.ndarray, copy: np.ndarray, rate: int) -> float:
    """Multi-scale log-mel distance of mono `original` and `copy` [n] each: the mean over n_fft 512, 1024, 2048 of the L1.

    Hop n_fft / 4, 80 mels, magnitude, log10 with floor 1e-4. 0 is the same spectrum; a factor of 10 throughout would be 1.
    """
    melspectrogram = compiled.librosa().feature.melspectrogram

    def log_mels(audio: np.ndarray, size: int) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # with 512 some of the 80 bands are empty, on both sides
            mel = melspectrogram(y=audio, sr=rate, n_fft=size, hop_length=size // 4, n_mels=80, power=1.0)
        return np.log10(np.maximum(mel, FLOOR))

    return float(np.mean([np.abs(log_mels(original, size) - log_mels(copy, size)).mean() for size in SIZES]))


def tonal_distance(original: np.ndarray, copy: np.ndarray, rate: int) -> float:
    """L1 of the log10 STFT magnitudes (n_fft 4096, hop 1024, floor 1e-4) below 6 kHz of mono `original` and `copy` [n] each.

    The mel bands of `codec_distance` are wide: a codec that keeps only the envelope does well there, and badly here.
    """
    stft = compiled.librosa().stft

    def log_bins(audio: np.ndarray) -> np.ndarray:
        return np.log10(np.maximum(np.abs(stft(audio, n_fft=TONAL_FFT)), FLOOR))[: int(TONAL_HZ / rate * TONAL_FFT)]

    return float(np.abs(log_bins(original) - log_bins(copy)).mean())
