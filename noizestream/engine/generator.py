"""Pure stepping: a loaded model, a seed and a block number become a stream of audio. No clock, no device, no thread."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch

from noizestream.errors import NoizestreamError, UsageError
from noizestream.modelfile import archive
from noizestream.modelfile.metadata import Metadata
from noizestream.modelfile.noise import Noise

_NOTHING = nullcontext()


class Generator:
    """The thin shell that owns what the model must not: state, seed, block number, genre weights and controls.

    The same seed and the same calls give the same samples. `step` and `pull` read one stream and mix freely: `step` returns first
    what `pull` left over, so no sample is lost or doubled.
    """

    def __init__(self, module: Any, metadata: Metadata, seed: int = 0):
        self.module, self.metadata = module, metadata
        self._step = module.step  # to look it up takes a TorchScript module several microseconds
        self._shape = (metadata.channels, metadata.block_frames)
        self.genres = metadata.genres
        self._genre = torch.tensor(metadata.genre_weights())
        self._controls = torch.tensor(metadata.default_controls())
        self.seed = int(seed)
        self.reset()

    @property
    def latency_frames(self) -> int:
        """How many frames the model's sound lags its controls, beyond the block itself."""
        return self.metadata.latency_frames

    def reset(self, seed: int | None = None) -> None:
        """Start afresh from block 0 with `seed` (None keeps it); genre and controls stay."""
        self.seed = self.seed if seed is None else int(seed)
        self.block = 0
        self._noise = Noise(self.seed)
        self._rest = np.zeros((self.metadata.channels, 0), np.float32)
        self.clear_state()

    def clear_state(self) -> None:
        """Go back to the model's initial state, but not in the noise: what follows is new, not the start again."""
        with torch.inference_mode():
            self.state = self.module.initial_state()

    def prime(self, audio: np.ndarray) -> None:
        """Hear `audio` [channels, n] at the model's rate, in the genre asked for: what follows goes on from there.

        UsageError if the model cannot be primed, NoizestreamError if it fails.
        """
        if not hasattr(self.module, "prime"):
            raise UsageError(f"{self.metadata.name}: this model cannot be primed (it has no method prime)")
        wanted = self.metadata.channels
        audio = audio if len(audio) == wanted else np.broadcast_to(audio.mean(axis=0, keepdims=True), (wanted, audio.shape[1]))
        try:
            with torch.inference_mode():
                self.state = self.module.prime(torch.from_numpy(np.ascontiguousarray(audio, np.float32)), self._genre)
        except Exception as error:  # whatever a foreign module may raise
            raise NoizestreamError(f"{self.metadata.name}: priming fails ({archive.last_line(error)})") from None

    def warm_up(self, steps: int = 20) -> None:
        """Step and throw away: TorchScript optimises itself in the first steps. Leaves the stream at its start.

        Always done by `load`, so that live and render run the same optimised code and give the same bytes.
        """
        for _ in range(steps):
            self._next()
        self.reset()

    def set_genre(self, genre: str | Sequence[float] | np.ndarray) -> None:
        """Ask for a genre by name, a mix such as `"Jazz:0.5,Folk:0.5"`, or weights `[G]` >= 0, scaled to sum to 1.

        UsageError if the model does not have it.
        """
        if isinstance(genre, str):
            genre = self.metadata.genre_weights(genre)
        weights = np.asarray(genre, np.float64)
        if weights.shape != (len(self.genres),) or not np.isfinite(weights).all() or weights.min() < 0 or weights.sum() <= 0:
            raise UsageError(f"genre weights: {len(self.genres)} numbers of at least 0 are needed, one per genre, not all 0")
        # A new tensor, never written in place: a model may keep the old one in its state.
        self._genre = torch.from_numpy((weights / weights.sum()).astype(np.float32))

    def set_control(self, name: str, value: float) -> None:
        """Set a control of the model; UsageError if it has none of that name or `value` is out of its range."""
        values = self._controls.clone()
        values[self.metadata.control_index(name)] = self.metadata.check_control(name, value)
        self._controls = values

    def set_controls(self, values: Sequence[float] | np.ndarray) -> None:
        """Set all controls `[K]` in the order of the metadata; UsageError if there are not K or one is out of its range.

        `metadata.limited(values)` are values that never are.
        """
        names = [control["name"] for control in self.metadata.controls]
        if len(values) != len(names):
            raise UsageError(f"controls: {len(names)} numbers are needed, one each for {', '.join(names)}")
        wanted = [self.metadata.check_control(name, value) for name, value in zip(names, values, strict=True)]
        self._controls = torch.tensor(wanted)

    def step(self, copy: bool = True) -> np.ndarray:
        """Return the next `[channels, block_frames]` float32 samples, as the model makes them (nothing limited).

        Without `copy` they may lie in the model's own memory and are good until the next step. NoizestreamError when the model
        raises or returns another shape; the state is then as before, the block's noise is spent.
        """
        if self._rest.shape[1]:
            return self.pull(self.metadata.block_frames)
        samples = self._next()
        return np.array(samples, np.float32) if copy or samples.dtype != np.float32 else samples

    def pull(self, frames: int) -> np.ndarray:
        """Return the next `frames` >= 0 samples `[channels, frames]`; any sequence of sizes reads the same stream."""
        if frames < 0:
            raise UsageError(f"pull: {frames} frames, give 0 or more")
        parts, ready = [self._rest], self._rest.shape[1]
        while ready < frames:
            parts.append(self._next())
            ready += self.metadata.block_frames
        joined = np.concatenate(parts, axis=1, dtype=np.float32)
        self._rest = joined[:, frames:].copy()
        return joined[:, :frames]

    def _next(self) -> np.ndarray:
        draws = torch.from_numpy(self._noise.block(self.block, self.metadata.noise_size))
        self.block += 1
        try:
            # The worker is in inference mode all the time; to enter it takes as long as ten operators.
            with _NOTHING if torch.is_inference_mode_enabled() else torch.inference_mode():
                block, state = self._step(self._genre, self._controls, draws, self.state)
                samples = block.numpy()
        except Exception as error:  # whatever a foreign module may raise
            raise NoizestreamError(f"{self.metadata.name}: its step fails ({archive.last_line(error)})") from None
        if samples.shape != self._shape:
            raise NoizestreamError(f"{self.metadata.name}: step returned the shape {list(samples.shape)}")
        self.state = state
        return samples


def prepare_torch() -> None:
    """Settings of a process that only steps models: one thread (a step is too small to share), denormals flushed to zero.

    They hold for all of torch in the process, so `load` leaves them alone: a program that does nothing else with torch calls this
    before `load`, and steps as fast as `noizestream play`.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


def load(model: str | Path | None = None, seed: int = 0, precision: str | None = None) -> Generator:
    """Load a model file, or a bundled model by name (None: the default one), warm, ready to step; NoizestreamError if it cannot.

    `precision` asks for float32 or int8 where the file offers both (None: the faster one here).
    """
    module, metadata = archive.load(archive.find_model(model), precision)
    generator = Generator(module, metadata, seed)
    generator.warm_up()
    return generator
