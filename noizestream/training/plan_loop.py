"""Stage one: the codebook of notes is fitted to the music, every frame gets its code, and the plan learns their order."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from noizestream.nn.clock import Clock
from noizestream.nn.notes import SAMPLES, SLOTS_PER_BEAT, Notes
from noizestream.nn.plan import Plan
from noizestream.training.config import Config
from noizestream.training.lanes import Draw
from noizestream.training.loop import Loop, adam
from noizestream.training.prepared import Piece, Prepared

SLOTS = 96
"""That a batch's rows foretell: six bars."""
BATCH = 24
VALIDATION_PIECES = 48
BEGINNINGS = 0.25
"""Share of the rows that learn to begin from nothing, anywhere in the music."""
SLOTS_PER_CODE = 6
"""A code must stand for several slots, or the plan learns the pieces by heart."""
FEWEST_CODES = 16


Coded = tuple[list[Piece], list[np.ndarray]]
"""Pieces and the codes of their frames."""
Codes = tuple[Coded, Coded]
"""Of the training and the validation pieces."""


def codes_for(prepared: Prepared, most: int) -> int:
    """How many codes the music of `prepared` is enough for."""
    slots = sum(seconds * tempo / 60 * SLOTS_PER_BEAT for seconds, tempo in zip(prepared.seconds, prepared.tempos, strict=True))
    return max(FEWEST_CODES, min(most, int(slots / SLOTS_PER_CODE)))


@torch.no_grad()
def fit_notes(notes: Notes, prepared: Prepared, pieces: list[Piece], seed: int) -> float:
    """Fit the book of `notes` to `pieces`, each counting by its length; returns the share of variance that it keeps."""
    rng, gathered = np.random.default_rng([seed, 5]), []
    share = min(1.0, SAMPLES / max(1.0, sum(float(np.ptp(prepared.beats_of(p))) * SLOTS_PER_BEAT for p in pieces)))
    for piece in pieces:
        heard = notes.partials(*_read(notes, prepared, piece))
        gathered.append(heard[torch.from_numpy(rng.random(len(heard)) < share)])
    return notes.fit(torch.cat(gathered), torch.Generator().manual_seed(seed))


@torch.no_grad()
def note_all(notes: Notes, prepared: Prepared, pieces: list[Piece], folder: Path) -> list[np.ndarray]:
    """Codes of every frame of every piece, as memory-mapped int16 [T, voices] files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    codes = []
    for number, piece in enumerate(pieces):
        bands, slots = _read(notes, prepared, piece)
        heard = notes.nearest(notes.partials(bands, slots))
        path = folder / f"{number:05d}.notes.npy"
        np.save(path, heard[slots].to(torch.int16).cpu().numpy())
        codes.append(np.load(path, mmap_mode="r"))
    return codes


def _read(notes: Notes, prepared: Prepared, piece: Piece) -> tuple[Tensor, Tensor]:
    """Bands of every frame and the slot it lies in."""
    bands = torch.from_numpy(np.asarray(prepared.bands_of(piece), np.float32))
    slots = notes.slots(torch.from_numpy(np.asarray(prepared.beats_of(piece), np.float64)))
    return bands.to(notes.book.device), slots.to(notes.book.device)


class PlanLoop(Loop):
    """Fits a plan in place, by its nats per slot. `codes` are those of every frame, as `note_all` returns them."""

    stage = "plan"
    predictor: Plan

    def __init__(
        self,
        plan: Plan,
        prepared: Prepared,
        config: Config,
        train: Coded,
        validation: Coded,
        device: str,
    ):
        config = replace(config, rate=config.plan_rate)
        super().__init__(plan, config, device, adam(plan, config))
        self.prepared, self.genres = prepared, len(prepared.genres)
        self.clock = Clock()
        self.lanes = _Rows(Draw(train[0], np.random.default_rng([config.seed, 4])))
        self.carried: list[Tensor] = []
        self.slots = [self._slots(piece, codes) for piece, codes in zip(*train, strict=True)]
        self.held_out = validation[0][:VALIDATION_PIECES]
        self.held_out_slots = [self._slots(p, codes) for p, codes in zip(self.held_out, validation[1], strict=False)]

    def _slots(self, piece: Piece, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Codes [S, voices] and number [S] of every slot of `piece`."""
        number = np.floor(np.asarray(self.prepared.beats_of(piece), np.float64) * SLOTS_PER_BEAT)
        first = np.flatnonzero(np.diff(number, prepend=number[0] - 1))
        return np.asarray(codes[first], np.int64), number[first]

    def _step(self) -> float:
        places = self.lanes.next([len(codes) for codes, _ in self.slots])
        pieces = [piece for piece, _, _ in places]
        rows = [self._row(self.slots[piece], start, SLOTS, cold) for piece, start, cold in places]
        confidence = np.array([self.lanes.draw.pieces[piece].confidence for piece in pieces])
        hidden = 1 - (1 - self.config.hide_clock) * confidence
        draws = self.lanes.draw.rng.random((2, len(pieces)))
        slow, shown = draws[0] >= self.config.hide_slow, draws[1] >= hidden
        genre = np.eye(self.genres, dtype=np.float32)[[self.lanes.draw.pieces[piece].genre for piece in pieces]]
        return self._descend(self._nats(rows, genre, slow, shown))

    def _row(
        self, slots: tuple[np.ndarray, np.ndarray], start: int, count: int, cold: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Codes [memory + count, voices] and slot numbers [count] from `start` on; -100 where the piece is over.

        Nothing is remembered of what was before if it is `cold`.
        """
        codes, numbers = slots
        memory = self.predictor.memory
        here, before = codes[start : start + count], codes[max(start - memory, 0) : start]
        before = before[:0] if cold else before
        unknown = np.full((memory - len(before), self.predictor.voices), self.predictor.codes)
        missing = count - len(here)
        row = np.concatenate([unknown, before, here, np.full((missing, self.predictor.voices), -100)])
        return row, np.concatenate([numbers[start : start + count], np.zeros(missing)])

    def _nats(self, rows: list[tuple[np.ndarray, np.ndarray]], genre: np.ndarray, slow: np.ndarray, shown: np.ndarray) -> Tensor:
        codes, numbers = (torch.from_numpy(np.stack(values)) for values in zip(*rows, strict=True))
        count = numbers.shape[1]
        flags = (torch.from_numpy(flag).float()[:, None].expand(-1, count) for flag in (slow, shown))
        clock = self.clock(numbers.double() / SLOTS_PER_BEAT, *flags).to(self.device)
        label = torch.from_numpy(genre)[:, None].expand(-1, count, -1).to(self.device)
        state = self.predictor.recurrent.initial_sequence_state(len(rows), self.device)
        logits, _ = self.predictor.sequence(codes.clamp(min=0).to(self.device), label, clock, state)
        target = codes[:, self.predictor.memory :].to(self.device)
        return self.predictor.voices * torch.nn.functional.cross_entropy(logits.flatten(0, 2), target.flatten())

    @torch.no_grad()
    def _judge(self) -> float:
        """Nats per slot of the first slots of held-out pieces; NaN if there are none."""
        if not self.held_out:
            return float("nan")
        self.predictor.eval()
        rows = [self._row(slots, 0, 2 * SLOTS) for slots in self.held_out_slots]
        genre = np.eye(self.genres, dtype=np.float32)[[piece.genre for piece in self.held_out]]
        shown = np.array([piece.confidence >= 0.5 for piece in self.held_out])
        nats = float(self._nats(rows, genre, np.ones(len(rows), bool), shown))
        self.predictor.train()
        return nats


class _Rows:
    """Random places to learn from, evenly over genres. Some rows remember nothing before them, as when the playing begins."""

    def __init__(self, draw: Draw):
        self.draw = draw

    def next(self, lengths: list[int]) -> list[tuple[int, int, bool]]:
        """`BATCH` rows: the piece, the slot to begin with, and whether what was before is unknown."""
        rng = self.draw.rng
        pieces = [self.draw.piece() for _ in range(BATCH)]
        return [(p, int(rng.integers(max(1, lengths[p] - SLOTS // 2))), bool(rng.random() < BEGINNINGS)) for p in pieces]

    def state(self) -> dict[str, Any]:
        return {"rng": self.draw.rng.bit_generator.state}

    def restore(self, state: dict[str, Any]) -> None:
        self.draw.rng.bit_generator.state = state["rng"]
