"""The recipe of the generator, `--arch units`: the memory and its codes, then the navigator that learns their order."""

import copy
import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from noizestream.modelfile.metadata import Metadata
from noizestream.nn.codec import Codec
from noizestream.nn.layers import LayerFront
from noizestream.nn.navigator import Navigator
from noizestream.nn.parts import Parts, Pulse
from noizestream.nn.spectral import SpectralFront
from noizestream.nn.unit_state import layers_of, moment_of, unpack
from noizestream.nn.units import UnitPlayer
from noizestream.training.config import Config
from noizestream.training.data import memory
from noizestream.training.export import weights
from noizestream.training.loops.baselines import baselines
from noizestream.training.loops.budget import Budget
from noizestream.training.loops.navigator import NavigatorLoop
from noizestream.training.recipes.recipe import Recipe


class UnitRecipe(Recipe):
    """What it makes is `UnitPlayer`. Nothing is calibrated."""

    loop: NavigatorLoop

    @staticmethod
    def on_base(config: Config, base: str | Path) -> Config:
        """`config` with the sizes of the networks beside `base`; UsageError if there are none, NoizestreamError if damaged."""
        return replace(weights.load(base).adapt(config), base=str(base))

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
        if base is not None and not self.checkpoints.resumed:
            base.fill_navigator(self.navigator, built.memory, self.layers, prepared.genres)
        self.navigator.to(self.device)
        self.loop = NavigatorLoop(self.navigator, built, config, self.device)
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

    def measured(self, budget: Budget) -> dict[str, Any]:
        """Steps, seconds, nats per slot in training and on held-out music, and the chances to go on of every layer."""
        loop = self.loop
        return {
            "navigator_steps": budget.done,
            "navigator_seconds": budget.elapsed(),
            "train_nats": loop.smooth,
            "validation_nats": loop.best_value,
            "going_on": [None if math.isnan(chance) else chance for chance in loop.chances.tolist()],
        }

    def export(self, player: UnitPlayer, output: Path, summary: dict[str, Any]) -> Metadata:
        """Write the model file and, beside it, NAME.safetensors: a later training may start from it."""
        metadata = super().export(player, output, summary)
        weights.save(player, self.config, self.prepared.genres, output)
        return metadata

    def continuous(self, player: UnitPlayer, state: list[Tensor]) -> list[Tensor]:
        """The LSTM's states and what it says, of this slot and of the next."""
        named = unpack(state)
        return [*named.cells, *named.ahead, named.h, named.h_ahead]

    def choices(self, player: UnitPlayer, state: list[Tensor]) -> Tensor:
        """The slots of the memory that the layers play."""
        return player.places(state)

    def cells(self, player: UnitPlayer, state: list[Tensor]) -> list[Tensor]:
        """The LSTM's state in this slot."""
        return unpack(state).cells

    def at_once(self, player: UnitPlayer, genre: Tensor, states: list[list[Tensor]]) -> list[Tensor]:
        """After the codes that were played, fed to the navigator as one sequence."""
        navigator, named = player.navigator, [unpack(state) for state in states]
        codes, rows, slots = named[0].codes, [], []
        for before, after in itertools.pairwise(named):
            slot = moment_of(after.moment).slot
            if moment_of(before.moment).slot != slot:  # a slot began
                rows.append(codes[player.hearing.ago])
                slots.append(float(slot))
            codes = after.codes
        count = len(rows)
        labels = genre.expand(1, count, -1), torch.tensor([slots]), torch.dot(player.beaten, genre).expand(1, count)
        piece = torch.tensor([[navigator.pieces] + [layers_of(named[-1].layers)[0].piece] * (count - 1)])
        start = navigator.recurrent.initial_sequence_state(1)
        return navigator.sequence(torch.stack(rows)[None], *labels, piece, start, 0.0)[1]
