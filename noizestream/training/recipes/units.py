"""The recipe of the generator: the memory and its codes, then the navigator that learns their order."""

import copy
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from noizestream.nn.codec import Codec
from noizestream.nn.layers import LayerFront
from noizestream.nn.navigator import Navigator
from noizestream.nn.parts import Parts, Pulse
from noizestream.nn.spectral import SpectralFront
from noizestream.nn.units import UnitPlayer
from noizestream.training.data import memory
from noizestream.training.data.memory import Coded
from noizestream.training.export import weights
from noizestream.training.loops.checkpoint import Checkpoints
from noizestream.training.loops.loop import Report
from noizestream.training.loops.navigator import NavigatorLoop
from noizestream.training.recipes import Recipe


class UnitRecipe(Recipe):
    """What it makes is `UnitPlayer`. Nothing is calibrated."""

    def build(self, progress: Callable[[str, int, int], None]) -> None:
        """The memory, once in a run folder, and the navigator. NoizestreamError if a genre has nothing to play."""
        prepared, config = self.prepared, self.config
        base = weights.load(config.base) if config.base else None
        torch.manual_seed(config.seed)
        self.front = SpectralFront(prepared.sample_rate, prepared.block, prepared.channels)
        self.layers = LayerFront(self.front)
        self.codec = Codec(prepared.sample_rate, prepared.block, prepared.channels)
        built = memory.load(self.layers, self.folder)
        if built is None:
            if base is not None:
                base.fill_layers(self.layers)
            built = memory.build(
                self.layers, self.codec.size, prepared, config, lambda done, of: progress("memory", done, of), base is None
            )
            memory.save(built, self.layers, self.folder)
        self.built = built
        sizes = (built.memory.code_first, built.memory.pieces, self.layers.count, config.hidden, config.layers)
        self.navigator = Navigator(*sizes, config.dropout)
        self.checkpoints = Checkpoints(self.folder)
        if base is not None and not self.checkpoints.resumed:
            base.fill_navigator(self.navigator, built.memory, self.layers, prepared.genres)
        self.navigator.to(self.device)
        kept = built.memory
        self.figures = {
            "slots": sum(len(one.code) for one in built.training),
            "slots_kept": kept.slots,
            "memory_mb": kept.frames.numel() / 1e6,
            "variance_kept": None if math.isnan(built.kept) else built.kept,
            "baselines": baselines(built.training, built.validation, kept.codes),
        }

    def describe(self) -> str:
        """One line on the sizes."""
        count = sum(p.numel() for p in self.navigator.parameters()) / 1e6
        music, kept = self.figures["slots"], self.figures["slots_kept"]
        part = "" if kept == music else f" of {kept / music:.0%} of the music"
        return (
            f"preset {self.config.preset}: memory {self.figures['memory_mb']:.1f} MB{part}, "
            f"{self.built.memory.codes} codes a layer, LSTM {count:.2f} M parameters"
        )

    def player(self) -> UnitPlayer:
        """The generator as it is now."""
        prepared = self.prepared
        navigator = copy.deepcopy(self.navigator).cpu()
        parts = Parts(self.front, self.codec, self.layers, self.built.memory, navigator)
        return UnitPlayer(parts, Pulse.of(torch.tensor(prepared.tempos), torch.tensor(prepared.beaten))).eval()

    def fit(
        self,
        left: Callable[[], float],
        report: Report,
        stop: Callable[[], bool],
        preview: Callable[[str], None] = lambda name: None,
        first_s: float = math.inf,
    ) -> dict[str, Any]:
        """Train the navigator; see `Recipe.fit`."""
        loop = NavigatorLoop(self.navigator, self.built, self.config, self.device)
        budget = self.run(loop, left, report, stop, preview, first_s)
        self.navigator.load_state_dict(loop.best)
        self.figures |= {
            "navigator_steps": budget.done,
            "navigator_seconds": budget.elapsed(),
            "train_nats": loop.smooth,
            "validation_nats": loop.best_value,
            "going_on": [None if math.isnan(chance) else chance for chance in loop.chances.tolist()],
            "stopped_early": loop.worse >= self.config.patience,
            "history": loop.history,
        }
        return self.figures

    def save_weights(self, player: UnitPlayer, output: Path) -> None:
        """NAME.safetensors beside the model file."""
        weights.save(player, self.config, self.prepared.genres, output)


def baselines(training: list[Coded], validation: list[Coded], codes: int) -> dict[str, float]:
    """Nats per slot of held-out music, all layers together, that a model must beat: `unigram`, how common a code is, and `bigram`,
    how often it follows the one before. Both count in the training music, every code once more than it occurs (Laplace)."""
    if not validation:
        return {}
    unigram = bigram = 0.0
    slots = sum(len(one.code) for one in validation)
    for v in range(validation[0].code.shape[1]):
        for genre in {one.genre for one in validation}:
            own = [one.code[:, v] for one in training if one.genre == genre]
            known = np.unique(np.concatenate(own))
            count = np.bincount(np.concatenate(own), minlength=codes) + 1.0
            total = count[known].sum()
            pairs: dict[tuple[int, int], int] = {}
            for row in own:
                for pair in zip(row[:-1].tolist(), row[1:].tolist(), strict=True):
                    pairs[pair] = pairs.get(pair, 0) + 1
            for one in validation:
                if one.genre == genre:
                    row = one.code[:, v]
                    plain = np.log(count[row] / total)
                    unigram -= float(plain.sum())
                    before = [(pairs.get((a, b), 0), a) for a, b in zip(row[:-1].tolist(), row[1:].tolist(), strict=True)]
                    # Backing off to how common a code is, as one more time that the code before was seen.
                    backed = [np.log((n + np.exp(p)) / count[a]) for (n, a), p in zip(before, plain[1:], strict=True)]
                    bigram -= float(plain[0] + sum(backed))
    return {"unigram": unigram / slots, "bigram": bigram / slots}
