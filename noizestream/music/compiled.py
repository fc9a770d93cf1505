"""librosa, its compiled functions ready: one process compiles them, all others only read what it wrote.

Some of librosa's functions are compiled by numba when they are first wanted, and kept in a cache. Two processes that fill that
cache at once mix their halves of a function, and whoever calls it later dies of a segmentation fault. So there is a folder for
what we use of it, outside of librosa's own, which a process of its own fills under a lock and marks as `READY` when all of it
has run:

    ROOT/numba-VERSION-KEY/        numba's cache; KEY is a hash of the versions, the processor and where librosa lies
    ROOT/numba-VERSION-KEY/ready   written last. A folder without it is not to be trusted, and is emptied
    ROOT/numba-VERSION-KEY.lock

ROOT is `NUMBA_CACHE_DIR`, else the folder of the other caches (cache.py).
"""

import atexit
import functools
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

from noizestream.errors import NoizestreamError
from noizestream.music.cache import cache_root
from noizestream.system import machine
from noizestream.system.files import home

READY = "ready"
VARIABLE = "NUMBA_CACHE_DIR"


@functools.cache
def librosa() -> Any:
    """The module librosa. Everything of ours that wants it gets it here, so that nothing is compiled twice at once.

    Raises NoizestreamError when it cannot run here.
    """
    ready()
    import librosa

    return librosa


def ready() -> Path:
    """Have what we use of librosa compiled, and return the folder of numba's cache, also set for processes started from now on.

    To be called before work is given to several processes. It takes half a minute of a processor the first time after an
    installation, and a few milliseconds from then on. Raises NoizestreamError when librosa cannot run here.
    """
    folder = _folder()
    if not (folder / READY).is_file() and _run("fill", folder) is not None:
        failure = _run("fill", folder)  # emptied first; a second failure is not the cache's
        if failure is not None:
            raise NoizestreamError(f"librosa does not work here: {failure}; try pip install --force-reinstall librosa numba")
    return folder


def heal() -> bool:
    """Try the cache after a process has crashed, and make it anew if it is damaged: whether it was. A few seconds if it was not.

    Raises NoizestreamError when librosa cannot run here.
    """
    damaged = _run("check", ready()) is not None
    ready()
    return damaged


def _folder() -> Path:
    """The folder, made and set as numba's. One of this process alone where ROOT cannot be written."""
    home()  # librosa does not come without one
    given = os.environ.get(VARIABLE)
    name = _name()
    inherited = given is not None and Path(given).name == name
    folder = Path(given or cache_root()) / ("" if inherited else name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        root = tempfile.mkdtemp(prefix="noizestream-")
        atexit.register(shutil.rmtree, root, ignore_errors=True)
        folder = Path(root) / name
        folder.mkdir()
    os.environ[VARIABLE] = str(folder)
    if "numba" in sys.modules:  # it has read the environment already
        sys.modules["numba"].config.CACHE_DIR = str(folder)
    return folder


@functools.cache
def _name() -> str:
    found = importlib.util.find_spec("librosa")
    if found is None:
        raise NoizestreamError("librosa is not installed; try pip install librosa")
    version = metadata.version("numba")
    # This file too: what it compiles belongs to the key.
    parts = (version, metadata.version("librosa"), sys.version, sysconfig.get_platform(), machine.processor(), found.origin)
    digest = hashlib.sha256(repr(parts).encode() + Path(__file__).read_bytes()).hexdigest()
    return f"numba-{version}-{digest[:12]}"


def _run(what: str, folder: Path) -> str | None:
    """Run this module on `folder`: None when it ended well, else the last thing that it said."""
    paths = os.pathsep.join(os.path.abspath(path) for path in sys.path)
    command = [sys.executable, "-P", "-m", "noizestream.music.compiled", what, str(folder)]
    environment = os.environ | {"PYTHONPATH": paths, VARIABLE: str(folder)}
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines and done.returncode > 0 else f"its process ended with {done.returncode}"


def make(what: str, folder: Path, use: Any) -> None:
    """Under the lock, `fill` an unmarked folder from nothing, or `check` one: it is marked again only if `use()` returns.

    To be called in a process of its own, which holds the lock and may die: then the folder has no mark.
    """
    from filelock import FileLock

    mark = folder / READY
    with FileLock(folder.with_name(folder.name + ".lock")):
        if what == "check":
            mark.unlink(missing_ok=True)
        elif mark.is_file():  # another process was first
            return
        else:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True, exist_ok=True)
        use()
        mark.touch()


def use_all() -> None:
    """Call what we use of librosa, with the types that we use. Most of it is compiled when its modules are imported."""
    import librosa
    import numpy as np

    noise = np.random.default_rng(0).standard_normal(22050 * 4, dtype=np.float32)
    onset = librosa.onset.onset_strength(y=noise, sr=22050, hop_length=256, aggregate=np.median)
    librosa.beat.beat_track(onset_envelope=onset, sr=22050, hop_length=256, trim=False)
    librosa.vqt(noise, sr=22050, n_bins=36)
    librosa.istft(librosa.stft(noise), length=len(noise))
    librosa.feature.chroma_stft(y=noise, sr=22050)
    librosa.feature.zero_crossing_rate(noise)


if __name__ == "__main__":
    make(sys.argv[1], Path(sys.argv[2]), use_all)
