"""The seed paper's three error functions, on tensors of any one shape; each is a mean over everything."""

from torch import Tensor


def mean_squared_error(predicted: Tensor, target: Tensor) -> Tensor:
    """Return the MSE: 1/n sum (predicted - target)^2."""
    return (predicted - target).square().mean()


def mean_absolute_error(predicted: Tensor, target: Tensor) -> Tensor:
    """Return the MAE: 1/n sum |predicted - target|."""
    return (predicted - target).abs().mean()


def mean_bias_error(predicted: Tensor, target: Tensor) -> Tensor:
    """Return the MBE: 1/n sum (predicted - target). Positive: too high.

    Errors of both signs cancel, so it is no loss to train on.
    """
    return (predicted - target).mean()


LOSSES = {"mse": mean_squared_error, "mae": mean_absolute_error}
"""What `train --arch raw --loss` offers."""
