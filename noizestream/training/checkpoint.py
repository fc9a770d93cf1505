"""Checkpoints: one file, replaced whole or not at all, from which a killed training goes on as if never stopped."""

from pathlib import Path
from typing import Any

import torch

from noizestream.errors import NoizestreamError

NAME = "checkpoint.pt"


def save(folder: Path, values: dict[str, Any]) -> None:
    """Write `values` to `folder`; the old checkpoint stays until the new one is complete."""
    partial = folder / f"{NAME}.part"
    torch.save(values, partial)
    partial.replace(folder / NAME)


def load(folder: Path) -> dict[str, Any] | None:
    """The values last saved, or None if there are none yet; NoizestreamError if the file is damaged."""
    path = folder / NAME
    if not path.exists():
        return None
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception:
        raise NoizestreamError(f"{path}: the checkpoint is damaged, delete it to train again from the prepared music") from None
