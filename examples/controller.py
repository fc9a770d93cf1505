"""A controller written by hand: the temperature swings slowly, and every few seconds another genre plays.

    python examples/controller.py mine.ts --seconds 60

Without a model the bundled one plays. A session takes settings from any thread, for as long as it plays.
"""

import argparse
import math
import time

import noizestream

SWING_S, GENRE_S, STEP_S = 20.0, 8.0, 0.05


def conduct(session: noizestream.Session, seconds: float) -> None:
    """Play `session` for so long: a sine on the temperature, from 0.2 to 1.8, and the genres in turn."""
    genres = session.status.metadata.genres
    began, playing = time.monotonic(), -1
    while (now := time.monotonic() - began) < seconds:
        session.set("temperature", 1.0 + 0.8 * math.sin(2 * math.pi * now / SWING_S))
        if int(now / GENRE_S) != playing:
            playing = int(now / GENRE_S)
            session.set("genre", genres[playing % len(genres)])
            print(f"{now:5.1f} s  {session.status.genre}")
        time.sleep(STEP_S)


def main() -> None:
    """Read the command line, and play."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", help="a model file, or the name of a bundled one")
    parser.add_argument("--seconds", type=float, default=60.0)
    asked = parser.parse_args()
    session = noizestream.Session(asked.model)
    with session:
        conduct(session, asked.seconds)
    print(f"underruns {session.results['underruns']}")


if __name__ == "__main__":
    main()
