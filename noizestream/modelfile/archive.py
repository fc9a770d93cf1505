"""The model file: a TorchScript archive with `metadata.json` inside. docs/model-format.md is the specification.

Reading the metadata and finding the bundled models need no torch, so that `info` and the main process of `play` stay light; `save`
and `load` import it. This module and training/export/script.py are the only ones that speak to torch.jit.
"""

import io
import logging
import os
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from noizestream.errors import NoizestreamError
from noizestream.modelfile import deduplicate
from noizestream.modelfile import precision as numbers
from noizestream.modelfile.metadata import FORMAT_VERSION, Metadata
from noizestream.modelfile.noise import noise
from noizestream.system.files import look, not_a_file, reason, whole

if TYPE_CHECKING:
    import torch

__all__ = ["FORMAT_VERSION", "Metadata", "bundled_models", "default_model", "find_model", "load", "read_metadata", "save"]

METADATA_FILE = "metadata.json"
FLOAT32_FILE = "float32.ts"
"""Inside a model in int8: the same model in float32, a whole model file of its own."""
GOLDEN_TOLERANCE = 1e-2
"""int8 and vectorised kernels differ between processors; anything beyond this is heard as another model."""

DEFAULT_MODEL = "studio"

log = logging.getLogger("noizestream")


def save(
    module: "torch.jit.ScriptModule", metadata: Metadata, path: str | Path, float32: "torch.jit.ScriptModule | None" = None
) -> Metadata:
    """Write the scripted `module` and its metadata to `path`, whole or not at all, and return the metadata as written.

    `float32` is the same model in float32, written into the file of one in int8: what plays where int8 kernels are missing.
    The golden check is computed here: `extra["golden"]` is the first block `[channels][block_frames]`.
    NoizestreamError if a module does not keep the contract or `path` cannot be written.
    """
    path = Path(path)
    metadata.check(path.name)
    files: dict[str, str | bytes] = {}
    if float32 is not None:
        plain = _with_golden(float32, replace(metadata, extra=metadata.extra | {"precision": numbers.FLOAT32}), path.name)
        inside, alone = io.BytesIO(), io.BytesIO()
        _write(float32, inside, {METADATA_FILE: plain.to_json()})
        _write(module, alone, {})
        files[FLOAT32_FILE] = deduplicate.without(inside, alone)
        metadata = replace(metadata, extra=metadata.extra | {"precision": numbers.INT8, "fallback": numbers.FLOAT32})
    metadata = _with_golden(module, metadata, path.name)
    try:
        with whole(path) as partial, partial.open("wb") as file:  # by its name torch would write itself, and abort on a full disk
            _write(module, file, files | {METADATA_FILE: metadata.to_json()})
    except (OSError, RuntimeError) as error:
        raise NoizestreamError(f"{path}: cannot write the model here ({reason(error)})") from None
    return metadata


def _with_golden(module: "torch.jit.ScriptModule", metadata: Metadata, source: str) -> Metadata:
    golden = first_block(module, metadata, source)
    return replace(metadata, extra=metadata.extra | {"golden": np.round(golden.astype(np.float64), 6).tolist()})


def _write(module: "torch.jit.ScriptModule", file: IO[bytes], files: dict[str, str | bytes]) -> None:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(module, file, _extra_files=files)


def load(path: str | Path, precision: str | None = None) -> "tuple[torch.jit.ScriptModule, Metadata]":
    """Load a model file onto the CPU, run its first block once, and return `(module, metadata)`.

    A file in int8 that carries a float32 form is loaded in float32 where this machine has no int8 kernels (logged), where
    `precision` says so, or else NOIZESTREAM_PRECISION; the metadata returned are those of the form loaded.
    NoizestreamError in one line if it is missing, not a model, cut short, newer, or does not keep the contract, or does not offer
    `precision`. Logs one warning if the first block differs from the golden one by more than 1e-2.
    """
    path = Path(path)
    metadata = read_metadata(path)
    source: io.BytesIO | None = None
    if precision is not None and precision not in precisions(metadata):
        raise NoizestreamError(f"{path}: offers {', '.join(precisions(metadata))}, not {precision}")
    kernels = numbers.int8_kernels()
    if len(precisions(metadata)) > 1:
        if kernels == numbers.NONE:
            log.warning("%s: this build of torch has no int8 kernels, playing in float32", path)
        if kernels == numbers.NONE or (precision or numbers.preferred()) == numbers.FLOAT32:
            source = io.BytesIO(_read_inside(path, FLOAT32_FILE, str(path)))
            metadata = Metadata.from_json(_read_inside(source, METADATA_FILE, str(path)), str(path))
            try:
                source = deduplicate.complete(source, path)
            except (KeyError, ValueError, zipfile.BadZipFile):
                raise NoizestreamError(f"{path}: its float32 form is damaged, fetch or export it again") from None
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            with source or path.open("rb") as file:  # not its name: torch takes none that is no text
                module = torch.jit.load(file, map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, OSError, EOFError) as error:
        if kernels == numbers.NONE and metadata.extra.get("precision") == numbers.INT8:
            raise NoizestreamError(f"{path}: is in int8, for which this build of torch has no kernels") from None
        raise NoizestreamError(f"{path}: TorchScript cannot load it, the file is damaged ({_first_line(error)})") from None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*qnnpack", UserWarning)  # speaks of calibration, of which dynamic int8 has none
        block = first_block(module, metadata, str(path))
    golden = metadata.extra.get("golden")
    if golden is not None:
        expected = np.asarray(golden, np.float32)
        difference = float(np.abs(block - expected).max()) if expected.shape == block.shape else float("inf")
        if not difference <= GOLDEN_TOLERANCE:
            log.warning(
                "%s: sounds different on this machine than where it was made (first block differs by %.2g)", path, difference
            )
    return module, metadata


def precisions(metadata: Metadata) -> list[str]:
    """The forms that a model file offers, the one it plays in first; a file that says nothing is taken for float32."""
    offered = [metadata.extra.get("precision", numbers.FLOAT32), metadata.extra.get("fallback")]
    return [name for name in offered if isinstance(name, str)]


def read_metadata(path: str | Path) -> Metadata:
    """Read and check only the metadata, without torch. NoizestreamError as for `load`, as far as can be told without torch."""
    path = Path(path)
    if look(path) is None:
        raise NoizestreamError(f"{path}: no such model file")
    if why := not_a_file(path):
        raise NoizestreamError(f"{path}: {why}; give a model file (.ts)")
    return Metadata.from_json(_read_inside(path, METADATA_FILE, str(path)), str(path))


def _read_inside(file: Path | io.BytesIO, name: str, source: str) -> bytes:
    """The extra file `name` of the TorchScript archive `file`; NoizestreamError, opening with `source`, if there is none."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if not any(inside.endswith("/constants.pkl") for inside in names):
                raise NoizestreamError(f"{source}: not a TorchScript model file")
            found = [inside for inside in names if inside.count("/") == 2 and inside.endswith(f"/extra/{name}")]
            if not found:
                raise NoizestreamError(f"{source}: a TorchScript file, but no noizestream model: it carries no {name}")
            return archive.read(found[0])
    except (zipfile.BadZipFile, EOFError, NotImplementedError):
        if not isinstance(file, Path) or _starts_as_zip(file):
            raise NoizestreamError(f"{source}: the file is cut short or damaged, fetch or export it again") from None
        raise NoizestreamError(f"{source}: not a model file (no TorchScript archive)") from None
    except OSError as error:
        raise NoizestreamError(f"{source}: cannot be read ({error.strerror})") from None


def first_block(module: Any, metadata: Metadata, source: str) -> np.ndarray:
    """The block `[channels, block_frames]` after the initial state: genre 0, default controls, noise of seed 0 block 0.

    NoizestreamError, opening with `source`, when the module does not keep the contract.
    """
    import torch

    for method in ("initial_state", "step"):
        if not hasattr(module, method):
            raise NoizestreamError(f"{source}: the module has no method {method} (see docs/model-format.md)")
    genre = torch.tensor(metadata.genre_weights())
    controls = torch.tensor(metadata.default_controls())
    try:
        with torch.inference_mode():
            block, _ = module.step(genre, controls, torch.from_numpy(noise(0, 0, metadata.noise_size)), module.initial_state())
    except Exception as error:  # whatever a foreign module may raise
        raise NoizestreamError(f"{source}: its step fails ({last_line(error)})") from None
    wanted = (metadata.channels, metadata.block_frames)
    if not isinstance(block, torch.Tensor) or tuple(block.shape) != wanted or block.dtype != torch.float32:
        got = f"{block.dtype} {list(block.shape)}" if isinstance(block, torch.Tensor) else type(block).__name__
        raise NoizestreamError(f"{source}: step returns {got} where its metadata promise torch.float32 {list(wanted)}")
    return block.numpy().copy()


def bundled_models() -> dict[str, Path]:
    """The models that travel with noizestream, name -> file: beside the package's code in a wheel, in `models/` in a checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "models", package.parent / "models"):
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.ts"))}
    return {}


def default_model() -> Path:
    """The model that plays when none is named: studio, else the first one bundled."""
    models = bundled_models()
    if not models:
        raise NoizestreamError("no model is bundled with this noizestream; give a model file")
    return models.get(DEFAULT_MODEL, next(iter(models.values())))


def find_model(model: str | Path | None) -> Path:
    """A model argument as the user gives it: a path, the name of a bundled model, or None for the default."""
    if model is None:
        return default_model()
    path, bundled = Path(model), bundled_models()
    if str(model) in bundled and not os.path.isfile(path):  # a folder of the same name, as of a corpus, is not meant
        return bundled[str(model)]
    if look(path) is not None:
        return path
    names = ", ".join(bundled) or "none"
    raise NoizestreamError(f"{model}: no such model file, nor a bundled model (bundled: {names})")


def _starts_as_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def last_line(error: BaseException) -> str:
    """TorchScript errors end with the line that says what was wrong."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
