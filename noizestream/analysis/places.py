"""Where in its memory a model plays, for those that tell (`places`, docs/model-format.md): does it go on, and how long for?"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from noizestream.errors import NoizestreamError
from noizestream.modelfile.archive import last_line


class Places:
    """Counts what follows what in the slots of the memory that each layer plays; `ask` is called after every block.

    A slot went on if the one before it in the same layer has the number before; what begins after a rest did not. The first one
    of a layer is not counted.
    """

    def __init__(self, module: Any, name: str, block_s: float):
        self._module, self._name, self._block_s = module, name, block_s
        self._blocks: list[np.ndarray] = []

    def ask(self, state: list) -> None:
        """Note where `state` plays. NoizestreamError if the module fails or answers anything but int64 [layers]."""
        import torch

        try:
            with torch.inference_mode():
                now = self._module.places(state).numpy()
        except Exception as error:  # whatever a foreign module may raise
            raise NoizestreamError(f"{self._name}: its places fails ({last_line(error)})") from None
        if now.ndim != 1 or not len(now) or now.dtype != np.int64 or (self._blocks and len(now) != len(self._blocks[0])):
            raise NoizestreamError(f"{self._name}: its places returned {now.dtype} {list(now.shape)}, not int64 [layers]")
        self._blocks.append(now.copy())

    def figures(self) -> dict[str, list[float]]:
        """Return per layer the `slots` that began, how many of them `went_on`, and `longest_s`, the longest run without a jump."""
        layers = [self._layer(numbers) for numbers in np.stack(self._blocks, axis=1)] if self._blocks else []
        return {name: [layer[name] for layer in layers] for name in ("slots", "went_on", "longest_s")}

    def _layer(self, numbers: np.ndarray) -> dict[str, float]:
        """Of one layer's slot number at every block [T]."""
        begins = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 2))  # the first block begins one
        before, after = np.append(-2, numbers[begins[:-1]]), numbers[begins]
        on = (after == before + 1) & (before >= 0)
        starts = begins[~on]  # of runs, and of rests
        lengths = np.diff(np.append(starts, len(numbers))) * self._block_s
        played = numbers[starts] >= 0
        first = int(np.argmax(after >= 0)) if (after >= 0).any() else len(after)
        return {
            "slots": float(np.count_nonzero(after[first + 1 :] >= 0)),
            "went_on": float(np.count_nonzero(on)),
            "longest_s": float(lengths[played].max()) if played.any() else 0.0,
        }


def together(performances: Sequence[Mapping[str, Sequence[float]]]) -> dict[str, Any] | None:
    """Return `went_on`, a share, and `longest_s` of all `figures` of a genre and of each of its `layers`; None if there are none.

    A share is NaN where no slot began.
    """
    performances = [each for each in performances if each["slots"]]
    if not performances:
        return None
    slots, on = (np.sum([each[name] for each in performances], axis=0) for name in ("slots", "went_on"))
    longest = np.max([each["longest_s"] for each in performances], axis=0)
    layers = [_share(int(a), int(b), float(c)) for a, b, c in zip(slots, on, longest, strict=True)]
    return _share(int(slots.sum()), int(on.sum()), float(longest.max())) | {"layers": layers}


def _share(slots: int, on: int, longest_s: float) -> dict[str, float]:
    return {"went_on": on / slots if slots else float("nan"), "longest_s": longest_s}
