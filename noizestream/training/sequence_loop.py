"""Stage three: the sequence model learns to predict the codec's latents, by truncated back-propagation, state carried over."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from noizestream.nn.clock import Clock
from noizestream.nn.codec import Codec
from noizestream.nn.moods import Moods
from noizestream.nn.notes import Notes
from noizestream.nn.predictor import Predictor, negative_log_likelihood
from noizestream.training.baselines import baselines
from noizestream.training.config import Config
from noizestream.training.lanes import Draw, Lanes
from noizestream.training.loop import Loop, adam
from noizestream.training.prepared import Piece, Prepared

VALIDATION_FRAMES = 600
VALIDATION_PIECES = 48
BASELINE_FRAMES = 50_000


@torch.no_grad()
def encode_all(
    codec: Codec, prepared: Prepared, pieces: list[Piece], folder: Path, device: str, progress: Callable[[int, int], None]
) -> list[np.ndarray]:
    """Latents of every piece as memory-mapped float16 [T, latent] files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    latents = []
    for number, piece in enumerate(pieces):
        bands = prepared.bands_of(piece)
        parts = []
        for start in range(0, len(bands), 4000):  # the encoder looks 3 frames either way
            before, after = min(start, 4), 4
            x = torch.from_numpy(np.asarray(bands[start - before : start + 4000 + after], np.float32)).to(device)
            z = codec.encode(x[None])[0, before:]
            parts.append(z[:4000].clamp(-5, 5).half().cpu().numpy())
        path = folder / f"{number:05d}.npy"
        np.save(path, np.concatenate(parts))
        latents.append(np.load(path, mmap_mode="r"))
        progress(number + 1, len(pieces))
    return latents


Rows = tuple[list[Piece], list[np.ndarray], list[np.ndarray]]
"""Pieces, their latents, and the codes of their frames."""


def _evenly(pieces: list[Piece], latents: list[np.ndarray], codes: list[np.ndarray]) -> Rows:
    """Up to `VALIDATION_PIECES` pieces, as many of each genre as of the others."""
    counts: dict[int, int] = {}
    each = max(2, VALIDATION_PIECES // max(1, len({piece.genre for piece in pieces})))
    kept = []
    for row in zip(pieces, latents, codes, strict=True):
        piece = row[0]
        counts[piece.genre] = counts.get(piece.genre, 0) + 1
        if counts[piece.genre] <= each:
            kept.append(row)
    return [row[0] for row in kept], [row[1] for row in kept], [row[2] for row in kept]


class SequenceLoop(Loop):
    """Fits `predictor` in place, by its nats."""

    stage, kept = "sequence", ("shown",)
    predictor: Predictor

    def __init__(
        self,
        predictor: Predictor,
        notes: Notes,
        moods: Moods,
        prepared: Prepared,
        config: Config,
        train: Rows,
        validation: Rows,
        device: str,
    ):
        super().__init__(predictor, config, device, adam(predictor, config))
        self.prepared = prepared
        self.clock = Clock().to(device)
        self.notes, self.moods = notes, moods
        pieces, latents, codes = train
        self.genres = len(prepared.genres)
        draw = Draw(pieces, np.random.default_rng([config.seed, 3]))
        beats = [prepared.beats_of(piece) for piece in pieces]
        heard, hop = self._moods(pieces, latents), moods.hop
        self.lanes = Lanes(draw, latents, beats, codes, heard, hop, self.genres, config.batch, config.frames, config.chunks)
        self.validation, self.validation_latents, self.validation_codes = _evenly(*validation)
        self.validation_moods = self._moods(self.validation, self.validation_latents)
        self.carried = predictor.recurrent.initial_sequence_state(config.batch, device)
        self.confidence = torch.tensor([piece.confidence for piece in pieces])
        self.shown = torch.ones(config.batch, 3)  # per lane: the slow clock, the clock, the mood
        self.baselines = self._baselines(pieces, latents)

    def _baselines(self, pieces: list[Piece], latents: list[np.ndarray]) -> dict[str, float]:
        train: dict[int, list[np.ndarray]] = {}
        test: dict[int, list[np.ndarray]] = {}
        for piece, z in zip(pieces, latents, strict=True):
            if piece.semitones == 0:
                train.setdefault(piece.genre, []).append(np.asarray(z[:BASELINE_FRAMES], np.float32))
        for piece, z in zip(self.validation, self.validation_latents, strict=True):
            test.setdefault(piece.genre, []).append(np.asarray(z[:VALIDATION_FRAMES], np.float32))
        join = {g: np.concatenate(parts) for g, parts in train.items()}
        return baselines(join, {g: np.concatenate(parts) for g, parts in test.items()}) if test else {}

    def at_least(self) -> int:
        """One epoch: steps that read as many frames as the unvaried training set holds."""
        frames = sum(piece.frames for piece in self.lanes.draw.pieces if piece.semitones == 0)
        return max(1, math.ceil(frames / (self.config.batch * self.config.frames)))

    def course(self) -> float:
        """So many epochs: what little music there is would be learned by heart at a high rate."""
        return self.config.epochs * self.at_least()

    def _step(self) -> float:
        config, chunk = self.config, self.lanes.next()
        keep = torch.from_numpy(~chunk.fresh).float()
        self._hide(keep, torch.from_numpy(chunk.lane_piece))
        state = [s.detach() * keep.to(self.device)[None, :, None] for s in self.carried]
        z, previous, genre = (torch.from_numpy(a).to(self.device) for a in (chunk.z, chunk.previous, chunk.genre))
        deviation = config.input_noise * torch.rand(config.batch, 1, 1, device=self.device)
        previous = previous + deviation * torch.randn_like(previous)
        clock = self._clock(chunk.beat, self.shown[:, 0], self.shown[:, 1])
        genre = genre[:, None].expand(-1, z.shape[1], -1)
        mood = torch.from_numpy(chunk.mood).to(self.device)
        mood = (mood + config.mood_noise * torch.randn_like(mood[:, :1])) * self.shown[:, 2].to(self.device)[:, None, None]
        mixture, self.carried = self.predictor.sequence(previous, genre, clock, self._told(chunk.notes, mood), z, state)
        loss = negative_log_likelihood(mixture, z, self.predictor.ends).mean()
        return self._descend(loss)

    def _hide(self, keep: Tensor, piece: Tensor) -> None:
        """A lane that starts anew will not know the slow clock, the whole clock (the less even its beats), the mood: drawn each."""
        config = self.config
        draws = torch.rand(self.shown.shape)
        hidden = torch.empty_like(draws)
        hidden[:, 0] = config.hide_slow
        hidden[:, 1] = 1 - (1 - config.hide_clock) * self.confidence[piece]
        hidden[:, 2] = config.hide_mood
        self.shown = torch.where(keep[:, None] > 0, self.shown, (draws >= hidden).float())

    def _clock(self, beat: np.ndarray, slow: Tensor, shown: Tensor) -> Tensor:
        """Features [B, T, C] of beat [B, T]; slow, shown [B]."""
        rows = (value.to(self.device)[:, None].expand(-1, beat.shape[1]) for value in (slow, shown))
        # float64 stays on the CPU: not every device has it
        return self.clock(
            torch.from_numpy(beat).to(torch.float64 if self.device != "mps" else torch.float32).to(self.device), *rows
        )

    def _told(self, codes: np.ndarray, mood: Tensor) -> Tensor:
        """What the plan would ask for, and the mood: codes [B, T, voices], mood [B, T, M] -> [B, T, partials + M]."""
        return torch.cat([self.notes.sounding(torch.from_numpy(codes).to(self.device)), mood], -1)

    @torch.no_grad()
    def _moods(self, pieces: list[Piece], latents: list[np.ndarray]) -> list[np.ndarray]:
        """Moods [hops, MOODS] of every piece."""
        eye, device = torch.eye(self.genres), self.moods.table.device
        return [
            self.moods.read(torch.from_numpy(np.asarray(z, np.float32)).to(device), eye[piece.genre].to(device)).cpu().numpy()
            for piece, z in zip(pieces, latents, strict=True)
        ]

    def _judge(self) -> float:
        return self.validate()

    @torch.no_grad()
    def validate(self) -> float:
        """Mean nats per frame over the genres of the validation pieces; NaN if there are none."""
        rows = list(zip(self.validation, self.validation_latents, self.validation_codes, strict=True))
        if not rows:
            return float("nan")
        # One batch, short pieces padded at the end: the LSTM is causal, so padding changes nothing before it.
        lengths = [min(len(latents), VALIDATION_FRAMES) for _, latents, _ in rows]
        z = np.zeros((len(rows), max(lengths), self.predictor.latent), np.float32)
        beat, codes = np.zeros(z.shape[:2]), np.zeros((*z.shape[:2], self.notes.voices), np.int64)
        mood = np.zeros((*z.shape[:2], self.moods.size), np.float32)
        for row, ((piece, latents, coded), length) in enumerate(zip(rows, lengths, strict=True)):
            z[row, :length] = latents[:length]
            beat[row, :length] = self.prepared.beats_of(piece)[:length]
            codes[row, :length] = coded[:length]
            mood[row, :length] = self.validation_moods[row][np.arange(length) // self.moods.hop]
        previous = np.concatenate([np.zeros_like(z[:, :1]), z[:, :-1]], axis=1)
        genre = np.eye(self.genres, dtype=np.float32)[[piece.genre for piece, _, _ in rows]]
        before = torch.from_numpy(previous).to(self.device)
        label = torch.from_numpy(genre).to(self.device)[:, None].expand(-1, z.shape[1], -1)
        shown = torch.tensor([float(piece.confidence >= 0.5) for piece, _, _ in rows])
        clock, target = self._clock(beat, torch.ones(len(rows)), shown), torch.from_numpy(z).to(self.device)
        self.predictor.eval()
        state = self.predictor.recurrent.initial_sequence_state(len(rows), self.device)
        told = self._told(codes, torch.from_numpy(mood).to(self.device))
        mixture, _ = self.predictor.sequence(before, label, clock, told, target, state)
        self.predictor.train()
        nats = negative_log_likelihood(mixture, target, self.predictor.ends).cpu().numpy()
        by_genre: dict[int, list[float]] = {}
        for (piece, _, _), length, row in zip(rows, lengths, nats, strict=True):
            by_genre.setdefault(piece.genre, []).append(float(row[:length].mean()))
        return float(np.mean([np.mean(values) for values in by_genre.values()]))
