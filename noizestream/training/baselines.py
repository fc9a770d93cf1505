"""What a model must beat to have learned anything: per genre, a Gaussian of the latents, and one of their change (AR(1)).

Both are diagonal, like the components of the model's mixture; both are fitted on training and scored on validation frames.
"""

import math

import numpy as np


def gaussian_nats(train: np.ndarray, test: np.ndarray) -> float:
    """Mean nats per frame of `test` [T, D] under a diagonal Gaussian of `train` [n, D]."""
    mean, variance = train.mean(0), train.var(0) + 1e-6
    return float(np.mean(0.5 * np.sum((test - mean) ** 2 / variance + np.log(2 * math.pi * variance), axis=1)))


def autoregressive_nats(train: np.ndarray, test: np.ndarray) -> float:
    """Mean nats per frame of `test` [T, D] under z[t] = a z[t-1] + b + noise, fitted per dimension on `train` [n, D]."""
    before, after = train[:-1], train[1:]
    centre, middle = before.mean(0), after.mean(0)
    slope = np.sum((before - centre) * (after - middle), 0) / (np.sum((before - centre) ** 2, 0) + 1e-6)

    def residual(z: np.ndarray) -> np.ndarray:
        return z[1:] - (middle + slope * (z[:-1] - centre))

    variance = residual(train).var(0) + 1e-6
    return float(np.mean(0.5 * np.sum(residual(test) ** 2 / variance + np.log(2 * math.pi * variance), axis=1)))


def baselines(train: dict[int, np.ndarray], test: dict[int, np.ndarray]) -> dict[str, float]:
    """`{"unigram": nats, "ar1": nats}` averaged over the genres of `test`, as the validation of the model is."""
    genres = [g for g in test if g in train]
    return {
        "unigram": float(np.mean([gaussian_nats(train[g], test[g]) for g in genres])),
        "ar1": float(np.mean([autoregressive_nats(train[g], test[g]) for g in genres])),
    }
