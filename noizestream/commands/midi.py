"""`noizestream midi`: what a controller sends and what that does, and a map that is learned from it."""

import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from noizestream.commands.options import CHANNEL_OPTION, CHORD_KEYS, MAP_OPTION

if TYPE_CHECKING:
    from noizestream.control.learn import Learner
    from noizestream.control.midi_message import MidiMessage
    from noizestream.session.interrupts import Interrupts

    Heard = queue.SimpleQueue[MidiMessage | str]

INTERRUPTED = 130
TICK_S = 0.02
QUIT = "q"
"""What a person types to end learning; an empty line leaves a control out."""


@click.group()
def command() -> None:
    """Show what a controller sends, and learn a map from it."""


PORT = click.option("-m", "--midi", help="MIDI port: number or part of its name.")


@command.command()
@click.argument("model", required=False)
@PORT
@CHANNEL_OPTION
@MAP_OPTION
@click.option("--chords", metavar=CHORD_KEYS[0], help=CHORD_KEYS[1])
@click.option("--seconds", type=float, help="Stop after so many seconds; else Ctrl-C stops.")
def monitor(model: str | None, midi: str | None, channel: str, map: str | None, chords: str | None, seconds: float | None) -> int:
    """Show what arrives, a line a message, and what it would do to MODEL (or the bundled one) with `play`."""
    from noizestream.control.state import LiveState
    from noizestream.devices.midi_process import MidiProcess
    from noizestream.modelfile import archive
    from noizestream.session.interrupts import Interrupts
    from noizestream.session.request import SessionRequest
    from noizestream.session.values import midi_map
    from noizestream.ui.midi import arrived, effect

    state = LiveState(archive.read_metadata(archive.find_model(model)))
    meaning = midi_map(state, SessionRequest(channel=channel, map=map, chords=chords))
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def hear(data: Sequence[int]) -> None:
        ignored = meaning.ignored
        action = meaning.translate(data, time.monotonic())
        if action is not None:
            state.apply(action)
        lines.put(f"{arrived(data):<32} {effect(action, meaning.ignored > ignored, state)}")

    end = None if seconds is None else time.monotonic() + seconds
    with Interrupts() as interrupts, MidiProcess(midi, hear, lines.put, meaning.held.let_go) as process:
        port = process.wait()
        click.echo(f"{port.name if port else 'no MIDI port yet: it is waited for'} (Ctrl-C ends)", err=True)
        interrupts.gently()
        while not interrupts.wait(TICK_S):
            process.tick()
            while not lines.empty():
                click.echo(lines.get())
            if end is not None and time.monotonic() >= end:
                return 0
    return INTERRUPTED


@command.command()
@click.argument("name")
@click.argument("controls", nargs=-1, metavar="[CONTROL]...")
@PORT
@click.option("--any", "reserved", is_flag=True, help="Learn CC 0, 32, 120 to 127 and the fine half of a pair too.")
def learn(name: str, controls: tuple[str, ...], midi: str | None, reserved: bool) -> int:
    """Ask for each CONTROL in turn (without any: for all, and the pads of the genres), and write the map NAME for `play --map`.

    An empty line leaves a control as it was, q ends. NAME may be a file, NAME.toml, too; a map that is there is gone on with.
    """
    from noizestream.control import map_file
    from noizestream.control.controller_map import ControllerMap
    from noizestream.control.learn import GENRES, Learner
    from noizestream.control.midi_message import decode
    from noizestream.control.parameters import BY_NAME
    from noizestream.devices.midi_process import MidiProcess
    from noizestream.session.interrupts import Interrupts

    path = map_file.own_path(name)
    before = map_file.read(path) if path.exists() else ControllerMap()
    learner = Learner(controls or [*BY_NAME, GENRES], before, reserved)
    heard: Heard = queue.SimpleQueue()

    def hear(data: Sequence[int]) -> None:
        if (message := decode(data)) is not None:
            heard.put(message)

    with Interrupts() as interrupts, MidiProcess(midi, hear, lambda line: click.echo(line, err=True)) as process:
        port = process.wait()
        click.echo(f"{port.name if port else 'no MIDI port yet: it is waited for'} (Enter leaves a control out, q ends)", err=True)
        interrupts.gently()
        threading.Thread(target=_read_lines, args=(heard,), daemon=True).start()
        interrupted = _ask(learner, heard, interrupts, process.tick)
    if interrupted or learner.controller == before:
        click.echo("nothing was written", err=True)
        return INTERRUPTED if interrupted else 0
    path.parent.mkdir(parents=True, exist_ok=True)
    click.echo(f"wrote {map_file.write(learner.controller, path)}")
    return 0


def _ask(learner: "Learner", heard: "Heard", interrupts: "Interrupts", tick: Callable[[], None]) -> bool:
    """Ask until there is nothing more to ask, or a person ends it; return whether that was with Ctrl-C."""
    from noizestream.ui.midi import asked, learned

    name = None
    while learner.wanted is not None:
        if learner.wanted != name:
            name = learner.wanted
            click.echo(asked(name), err=True)
        if interrupts.wait(TICK_S):
            return True
        tick()
        while not heard.empty() and learner.wanted == name:
            what = heard.get()
            if what == QUIT:
                return False
            if isinstance(what, str):
                if not what:
                    learner.skip()
            elif (found := learner.hear(what)) is not None:
                click.echo(learned(found))
    return False


def _read_lines(heard: "Heard") -> None:
    """Hand over what a person types, until the end of the input; a thread of its own, as it waits."""
    for line in sys.stdin:
        heard.put(line.strip().lower())
