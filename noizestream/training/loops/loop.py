"""What all loops do alike: the course of rates and validations, the step of the optimiser, the best weights, resuming."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from noizestream.training.config import Config
from noizestream.training.loops.budget import Budget

Report = Callable[[str, int, float, dict[str, float]], None]
"""report(stage, step, seconds left, figures): called every few steps."""
EVALUATIONS = 16
"""Validations over a whole training."""
WARM_UP = 50
"""Steps in which the rate rises to its height."""
LOWEST_RATE = 0.02
"""Share of the rate that is left at the end."""


def adam(network: torch.nn.Module, config: Config) -> torch.optim.Optimizer:
    """AdamW (Loshchilov and Hutter 2019) with the settings of `config`."""
    return torch.optim.AdamW(network.parameters(), lr=config.rate, weight_decay=config.weight_decay, betas=(0.9, 0.98))


class Loop(ABC):
    """Fits `predictor` in place. Keeps the weights of the best validation in `best`, its figure in `best_value`.

    A kind of training brings `stage`, `_step` and `_judge`, its `batches` (resumable) and `carried` (the LSTM's state).
    """

    stage: str
    """How the reports name it."""
    batches: Any
    carried: list[Tensor]

    def __init__(self, predictor: torch.nn.Module, config: Config, device: str, optimiser: torch.optim.Optimizer):
        self.predictor, self.config, self.device, self.optimiser = predictor, config, device, optimiser
        self.smooth = float("nan")
        self.best, self.best_value, self.worse = self._weights(), float("inf"), 0
        self.evaluated = 0
        self.history: list[dict[str, float]] = []

    @abstractmethod
    def _step(self) -> float:
        """One step of the optimiser on the next batch; returns its loss."""

    @abstractmethod
    def _judge(self) -> float:
        """The figure on held-out music that decides which weights are the best: less is better."""

    def course(self) -> float:
        """Steps in which the rate falls to its lowest, if the budget does not end before."""
        return math.inf

    def run(self, budget: Budget, report: Report, stop: Callable[[], bool], checkpoint: Callable[[], None]) -> None:
        """Train until the budget is over (a step at least) or `stop()`; counted steps end too when validation does not improve."""
        config, course = self.config, self.course()
        self.predictor.train()
        # Time that was given is used: more learning changes little then, and the best weights are kept.
        patience = config.patience if budget.steps else math.inf
        while not budget.over() and not stop() and self.worse < patience:
            warm = min(1.0, (budget.done + 1) / WARM_UP)
            way = min(1.0, max(budget.progress(), budget.done / course))
            rate = config.rate * warm * max(LOWEST_RATE, 0.5 * (1 + math.cos(math.pi * way)))
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            loss = self._step()
            self.smooth = loss if math.isnan(self.smooth) else 0.95 * self.smooth + 0.05 * loss
            budget.done += 1
            if budget.progress() * EVALUATIONS >= self.evaluated + 1:
                self.evaluated = int(budget.progress() * EVALUATIONS)
                self._evaluate(budget)
            if budget.done % 10 == 0:
                latest = self.history[-1]["validation"] if self.history else float("nan")
                report(self.stage, budget.done, budget.remaining(), {"train": self.smooth, "validation": latest})
                checkpoint()
        if not self.history or self.history[-1]["step"] != budget.done:
            self._evaluate(budget)

    def _descend(self, loss: Tensor) -> float:
        """Let the optimiser take its step against `loss`, gradients clipped; returns the loss."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.predictor.parameters(), self.config.clip)
        self.optimiser.step()
        return loss.item()

    def _evaluate(self, budget: Budget) -> None:
        value = self._judge()
        self.history.append({"step": budget.done, "seconds": budget.elapsed(), "train": self.smooth, "validation": value})
        if value < self.best_value or math.isnan(value):
            self.best, self.best_value, self.worse = self._weights(), value, 0
        else:
            self.worse += 1

    def _weights(self) -> dict[str, Tensor]:
        return {name: value.clone() for name, value in self.predictor.state_dict().items()}

    def state(self) -> dict[str, Any]:
        """What a checkpoint needs to go on as if never stopped."""
        return {
            "predictor": self.predictor.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "batches": self.batches.state(),
            "carried": [s.detach() for s in self.carried],
            "smooth": self.smooth,
            "best": self.best,
            "best_value": self.best_value,
            "worse": self.worse,
            "evaluated": self.evaluated,
            "history": self.history,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Be where `state` was taken."""
        self.predictor.load_state_dict(state["predictor"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.batches.restore(state["batches"])
        self.carried = [s.to(self.device) for s in state["carried"]]
        self.smooth, self.best, self.best_value = state["smooth"], state["best"], state["best_value"]
        self.worse, self.evaluated, self.history = state["worse"], state["evaluated"], state["history"]
