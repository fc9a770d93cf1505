"""A library of many short tracks, in a process that may hold few files open: is it learned from, all of it?

python benchmarks/many.py [--tracks 8000] [--files 256] [--folder DIR]

What is measured of a track is measured of a few only and written for all, as 8,000 of them would take a processor half an hour;
all else is the training as it is: listing, decoding, the cache, the prepared set, the memory, the LSTM, the file.
"""

import argparse
import functools
import resource
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from noizestream.modelfile.archive import read_metadata
from noizestream.music.library import read_library
from noizestream.system.jsonfile import write_json, write_text
from noizestream.training.config import resolve
from noizestream.training.data import prepare
from noizestream.training.run import train

RATE, SECONDS, GENRES = 16000, 4.0, 4


def make(folder: Path, tracks: int) -> None:
    """Short tones over a beat, no two tracks alike."""
    at = np.arange(round(RATE * SECONDS)) / RATE
    for genre in range(GENRES):
        (folder / f"genre {genre}").mkdir(parents=True)
    for number in range(tracks):
        pitch = 110 * 2 ** (number % 48 / 12)
        sound = 0.3 * np.sin(2 * np.pi * pitch * at) * np.exp(-6 * np.mod(at, 0.5)) + 1e-4 * number / tracks
        soundfile.write(folder / f"genre {number % GENRES}" / f"{number:05d}.wav", sound, RATE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tracks", type=int, default=8000)
    parser.add_argument("--files", type=int, default=256)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as made:
        root = Path(made)
        make(root / "music", asked.tracks)
        resource.setrlimit(resource.RLIMIT_NOFILE, (asked.files, asked.files))
        extract, known = prepare.extract, {}

        @functools.wraps(extract)
        def of_a_few(track, audio, **settings):
            key = int(track.path.stem) % 48
            if key not in known:
                known[key] = extract(track, audio, **settings)
            return known[key]

        prepare.extract = of_a_few
        config = resolve("small", steps=20, minutes=0.0)
        began = time.monotonic()
        library = read_library(root / "music")
        prepared = prepare.prepare(library, config, root / "run" / "prepared", cache_root=root / "cache", workers=0)
        count = len({piece.entry for piece in prepared.pieces})
        print(f"prepared {count} of {asked.tracks} tracks in {time.monotonic() - began:.0f} s")
        write_json(root / "run" / "run.json", {"data": str(root / "music"), "output": str(root / "many.ts"), "genres": None})
        write_text(root / "run" / "config.json", config.to_json())
        began = time.monotonic()
        path = train(resume=root / "run")
        tracks = read_metadata(path).extra["training"]["tracks"]
        held_out = asked.tracks - sum(tracks.values())
        print(f"learned from {sum(tracks.values())} tracks, {held_out} held out, in {time.monotonic() - began:.0f} s")
        print(f"open files allowed: {asked.files}; settings: {asdict(config)['preset']}, 20 steps")


if __name__ == "__main__":
    main()
