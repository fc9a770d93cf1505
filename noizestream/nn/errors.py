"""The seed paper's three error functions, on tensors of any one shape; each is a mean over everything."""

from torch import Tensor


def mean_squared_error(predicted: Tensor, target: Tensor) -> Tensor:
    """MSE: 1/n sum (target - predicted)^2."""
    return (target - predicted).square().mean()


def mean_absolute_error(predicted: Tensor, target: Tensor) -> Tensor:
    """MAE: 1/n sum |target - predicted|."""
    return (target - predicted).abs().mean()


def mean_bias_error(predicted: Tensor, target: Tensor) -> Tensor:
    """MBE: 1/n sum (target - predicted). Positive: predicted too low. Errors of both signs cancel, so it is no loss to train on."""
    return (target - predicted).mean()


LOSSES = {"mse": mean_squared_error, "mae": mean_absolute_error}
"""What `train --arch raw --loss` offers."""
