"""From a labelled library to a prepared set: which music there is time for, its features, what is held out."""

import functools
import time
from pathlib import Path

from noizestream.music.cache import FeatureCache
from noizestream.music.parallel import require_some
from noizestream.music.tracks import Library
from noizestream.nn.spectral import block_frames_for
from noizestream.training.config import Config, needs
from noizestream.training.data.assemble import assemble
from noizestream.training.data.dataset import Prepared
from noizestream.training.data.features import FEATURES_VERSION, extract, front_of
from noizestream.training.data.gather import Gathering
from noizestream.training.plan import Plan
from noizestream.training.reporter import SILENT, Reporter


def prepare(
    library: Library,
    config: Config,
    folder: str | Path,
    plan: Plan | None = None,
    reporter: Reporter = SILENT,
    cache_root: str | Path | None = None,
    workers: int | None = None,
) -> Prepared:
    """Write the prepared set of `library` into `folder`: of all of it, or of a balanced part that fits into the `plan`.

    The `reporter` hears of seconds of music. NoizestreamError when nothing is left to learn from.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    block = block_frames_for(config.sample_rate, config.block_ms)
    settings = {"version": FEATURES_VERSION, "rate": config.sample_rate, "block": block}
    with_samples = "samples" in needs(config.arch)
    cache = FeatureCache(settings | ({"samples": 1} if with_samples else {}), cache_root)
    then = functools.partial(extract, sample_rate=config.sample_rate, block=block, samples=with_samples)
    skipped = list(library.skipped)
    gathering = Gathering(library, config, cache, plan or Plan(0.0, time.monotonic()), skipped)
    reporter.say(gathering.describe())
    known = gathering.run(then, workers, functools.partial(reporter.progress, "preparing"))
    require_some(len(known), skipped, library.name)
    for line in gathering.outcome():
        reporter.say(line)
    return assemble(known, library, config, folder, skipped, front_of(config.sample_rate, block))
