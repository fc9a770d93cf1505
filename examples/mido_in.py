"""MIDI through mido, with a meaning of its own: programs and pads choose the genre, pitch bend is the balance, and so on.

    python examples/mido_in.py mine.ts                     # a port of its own, to which anything can be connected
    python examples/mido_in.py mine.ts --port nanoKONTROL  # a port that is there (play itself listens to the first instrument too)
    python examples/mido_in.py mine.ts --file song.mid     # what a MIDI file holds, in its own time

Change `act` to have a controller do something else.
"""

import argparse
import contextlib
from collections.abc import Iterable

import mido

import noizestream

PADS = 36
"""The note of the first pad."""


def act(session: noizestream.Session, message: mido.Message) -> None:
    """Do in `session` what `message` is to mean."""
    genres = session.status.metadata.genres
    if message.type == "program_change" and message.program < len(genres):
        session.set("genre", genres[message.program])
    elif message.type == "note_on" and message.velocity and 0 <= message.note - PADS < len(genres):
        session.set("genre", genres[message.note - PADS])
    elif message.type == "control_change" and message.control == 1:
        session.set("temperature", 2 * message.value / 127)
    elif message.type == "pitchwheel":
        session.set("balance", max(message.pitch / 8191, -1.0))
    elif message.type == "aftertouch":
        session.set("volume", -12 + 18 * message.value / 127)
    else:
        return
    print(f"{message}  ->  {session.status.genre}, {', '.join(session.status.changed)}")


def forward(session: noizestream.Session, messages: Iterable[mido.Message]) -> None:
    """Act on all that comes, until Ctrl-C or the end of a file."""
    with session, contextlib.suppress(KeyboardInterrupt):
        for message in messages:
            act(session, message)


def main() -> None:
    """Read the command line, and play."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", help="a model file, or the name of a bundled one")
    parser.add_argument("--port", help="part of the name of a MIDI port")
    parser.add_argument("--file", help="a Standard MIDI File")
    asked = parser.parse_args()
    session = noizestream.Session(asked.model)
    if asked.file:
        forward(session, mido.MidiFile(asked.file).play())
        return
    if asked.port:
        names = [name for name in mido.get_input_names() if asked.port.lower() in name.lower()]
        if not names:
            parser.error(f"no port is called {asked.port}; there are: {', '.join(mido.get_input_names()) or 'none'}")
        port = mido.open_input(names[0])
    else:
        port = mido.open_input("noizestream mido", virtual=True)
    with port:
        forward(session, port)


if __name__ == "__main__":
    main()
