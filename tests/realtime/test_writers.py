"""Every number in shared memory has one writer: the views of the others cannot write, and the code opens each block as it may."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import noizestream
from noizestream.realtime.output_bus import OutputBus
from noizestream.realtime.ring import Ring
from noizestream.realtime.shared_memory import LINE, WORD, SharedBlock

ROOT = Path(noizestream.__file__).parent
SIDES = {"main", "worker", "callback", "recorder"}

ARRAYS = ("shared_memory", "ring", "output_bus", "step_times", "callback")
"""The modules that may touch memory by its place."""

OPENED = {
    ("OutputBus", "callback", "devices/audio_process.py"),
    ("Ring", "callback", "devices/audio_process.py"),
    ("Ring", "callback", "realtime/bench.py"),  # whose simulated device plays in place of the callback
    ("Ring", "worker", "realtime/worker_loop.py"),
    ("Ring", "main", "realtime/worker.py"),
    ("OutputBus", "main", "session/resources.py"),
}
"""Who opens what as which side; `create` is main. The bus is the recorder's, too, where it is made."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text())


@pytest.fixture(params=[Ring, OutputBus])
def made(request) -> Iterator[SharedBlock]:
    block = Ring.create(64, 2) if request.param is Ring else OutputBus.create(2, 64)
    yield block
    block.close()


def test_a_number_is_written_by_its_side_and_read_by_all(made):
    sides = [side.writer for side in type(made).sides]
    opened = {side: type(made).attach(made.memory.name, made.layout, side) for side in sides}
    expected: dict[tuple[str, str], float] = {}
    for number, side in enumerate(type(made).sides):
        for slot in side.table:
            assert slot.meaning and isinstance(slot.initial, (int, float))
            for other in sides:
                view = getattr(opened[other], side.writer)
                if other == side.writer:
                    expected[side.writer, slot.name] = value = slot.kind(100 * number + len(expected) + 1)
                    setattr(view, slot.name, value)
                else:
                    with pytest.raises(TypeError, match="read-only"):
                        setattr(view, slot.name, slot.kind(7))
    for block in opened.values():
        assert {key: getattr(getattr(block, key[0]), key[1]) for key in expected} == expected
        block.close()


def test_a_new_block_holds_what_is_declared(made):
    sizes = {"channels": 2, "capacity": 64, "tap_samples": 64}
    for slot, _ in made._places():
        assert getattr(getattr(made, slot.writer), slot.name) == sizes.get(slot.name, slot.initial)


def test_no_two_sides_share_a_cache_line_and_places_are_told_apart(made):
    places = list(made._places())
    lines = {(place // LINE, slot.writer) for slot, place in places}
    assert len(lines) == len({line for line, _ in lines}) and len({place for _, place in places}) == len(places)
    assert max(place for _, place in places) < made.words() and made.positions()._asdict() == {s.name: p for s, p in places}
    assert made.address % (WORD * LINE) == 0


def test_an_array_is_written_by_its_side():
    ring, bus = Ring.create(64, 2), OutputBus.create(2, 64)
    with pytest.raises(ValueError, match="read-only"):
        ring.write(np.zeros((4, 2), np.float32))
    with pytest.raises(ValueError, match="read-only"):
        ring.step_times.add(0.1)
    with pytest.raises(ValueError, match="read-only"):
        bus.feed(np.zeros(4, np.float32))
    worker = Ring.attach(ring.memory.name, ring.layout, "worker")
    worker.write(np.ones((4, 2), np.float32))
    with pytest.raises(TypeError, match="read-only"):
        worker.set_controls([1.0], [])
    assert ring.fill() == 4 and ring.read(0, 4).all()
    for block in (worker, ring, bus):
        block.close()


def test_the_code_opens_each_block_as_the_side_that_it_is():
    found = set()
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
                kind, verb, given = node.func.value.id, node.func.attr, {a.value for a in node.args if isinstance(a, ast.Constant)}
                if kind in ("Ring", "OutputBus") and verb in ("attach", "create"):
                    found |= {(kind, side, name) for side in given & SIDES or ({"main"} if verb == "create" else {"nobody"})}
    assert found == OPENED


def test_only_the_recorder_writes_what_is_its_own():
    for name, tree in modules():
        for node in ast.walk(tree):
            stored = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Attribute)
            if stored and node.value.attr == "recorder":
                assert name in ("session/recorder.py", "realtime/output_bus.py"), f"{name} writes {node.attr}"


def test_few_modules_touch_memory_by_its_place():
    places = re.compile(r"\.buf\b|\._bytes\b|\._tap\b|\._audio\b|\._steps\b|\.bins\b|\bcarray\b|\.positions\(")
    rooms = ("realtime", "devices", "session", "commands", "control", "doctor", "ui", "engine")
    found = {path.stem for room in rooms for path in (ROOT / room).rglob("*.py") if places.search(path.read_text())}
    assert found == set(ARRAYS)


def test_the_compiled_callback_writes_only_what_is_its_own():
    blocks = {"RING": Ring, "BUS": OutputBus}
    stores = set()
    for node in ast.walk(ast.parse((ROOT / "devices" / "callback.py").read_text())):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Attribute) and isinstance(node.slice.value, ast.Name):
            slots = {slot.name: slot for slot, _ in blocks[node.slice.value.id]._places()}
            slot = slots[node.slice.attr]
            assert isinstance(node.value, ast.Name) and node.value.id == {int: "ints", float: "floats"}[slot.kind], slot.name
            if isinstance(node.ctx, ast.Store):
                assert slot.writer == "callback", slot.name
                stores.add((node.slice.value.id, slot.name))
    assert stores == {(name, slot.name) for name, kind in blocks.items() for slot, _ in kind._places() if slot.writer == "callback"}
