"""Map files: read, refused with line and key, found by name, written and read back."""

import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noizestream.control import map_file
from noizestream.control.assignment import Assignment, Source
from noizestream.control.controller_map import ControllerMap, GenreKeys, read
from noizestream.control.map_table import kinds
from noizestream.control.parameters import BY_NAME, PARAMETERS
from noizestream.errors import NoizestreamError, UsageError

ROOT = Path(__file__).parents[2]
SHIPPED = sorted(file.name.removesuffix(".toml") for file in resources.files("noizestream.control").joinpath("maps").iterdir())
SOURCES = ["cc {}", "note {}", "key pressure {}"]


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Documents of map files that are as they should be."""
    tables: dict[str, Any] = {}
    rows = draw(st.lists(st.sampled_from(PARAMETERS), unique=True, max_size=12))
    numbers = draw(st.permutations(range(32)))
    for row, number in zip(rows, numbers, strict=False):
        source = draw(st.sampled_from(SOURCES)).format(number)
        table: dict[str, Any] = {"source": source}
        if draw(st.booleans()):
            table["kind"] = draw(st.sampled_from(kinds(row, Source.parse(source))))
            if table["kind"] == "absolute":
                table["takeover"] = draw(st.sampled_from(["pickup", "jump", "scaled"]))
            if table["kind"] == "relative":
                table["coding"] = draw(st.sampled_from(["two's complement", "offset", "sign bit"]))
            if table["kind"] in ("choice", "cycle") and row.kind == "value":
                table["steps"] = draw(st.integers(2, 128))
        if draw(st.booleans()):
            table["channel"] = draw(st.integers(1, 16))
        if draw(st.booleans()):
            table["reversed"] = draw(st.booleans())
        if source.startswith("cc") and table.get("kind") != "relative" and draw(st.booleans()):
            table["bits"] = 14
        if row.kind == "value" and draw(st.booleans()):
            low, high = sorted(
                draw(
                    st.lists(
                        st.floats(row.lowest or row.minimum, row.maximum, allow_subnormal=False),
                        min_size=2,
                        max_size=2,
                        unique=True,
                    )
                )
            )
            table["range"] = [low, high]
        tables[row.name] = table
    document: dict[str, Any] = {"controls": tables}
    if draw(st.booleans()):
        notes = draw(st.lists(st.integers(64, 127), unique=True))
        document["genres"] = {"notes": notes, "programs": draw(st.booleans())}
    return document


@given(documents())
def test_what_is_written_is_read_back_as_it_was(document):
    controller = read(document)
    assert map_file.parse(map_file.text_of(controller)) == controller


def test_written_to_a_file_and_found_again(tmp_path):
    controller = ControllerMap(
        (Assignment("tempo", Source("cc", 3, 4), "absolute", "scaled", True, 14),), GenreKeys((60, 61), False, 9)
    )
    path = map_file.write(controller, tmp_path / "mine.toml")
    assert map_file.read(path) == map_file.read(str(path)) == controller and list(tmp_path.iterdir()) == [path]
    assert path.read_text() == (
        '[controls.tempo]\nsource = "cc 3"\nkind = "absolute"\ntakeover = "scaled"\nchannel = 5\nreversed = true\nbits = 14\n\n'
        "[genres]\nnotes = [60, 61]\nprograms = false\nchannel = 10\n"
    )


def test_what_cannot_be_read_back_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("# before\n")
    broken = ControllerMap((Assignment("tempo", Source("cc", 3), "toggle"),))
    with pytest.raises(NoizestreamError, match=r"mine\.toml, line 3, controls\.tempo\.kind"):
        map_file.write(broken, path)
    assert path.read_text() == "# before\n" and list(tmp_path.iterdir()) == [path]
    with pytest.raises(UsageError, match=r"mine\.txt: give a name that ends in \.toml"):
        map_file.write(ControllerMap(), tmp_path / "mine.txt")


GOOD = '# mine\n[controls.volume]\nsource = "cc 7"\n\n'

WRONG = [
    ('[controls.tempos]\nsource = "cc 3"', 5, "controls.tempos", "there is no such parameter, is it tempo?"),
    ('[controls.zzz]\nsource = "cc 3"', 5, "controls.zzz", "there is no such parameter, give one of temperature, tempo"),
    ('[controls.tempo]\nsource = "cc 7"', 6, "controls.tempo.source", "cc 7 is the source of volume too"),
    ('[controls.tempo]\nsource = "cc 7"\nchannel = 3', 6, "controls.tempo.source", "cc 7 is the source of volume too"),
    (
        '[controls.tempo]\nsource = "cc 3"\nbits = 14\n[controls.mute]\nsource = "cc 35"',
        9,
        "controls.mute.source",
        "cc 35 is the source",
    ),
    (
        '[controls.tempo]\nsource = "note 36"\n[genres]\nnotes = [36]',
        6,
        "controls.tempo.source",
        "note 36 is the source of genres too",
    ),
    ('[controls.tempo]\nsource = "cc 3"\nrange = [160, 80]', 7, "controls.tempo.range", "[160, 80] begins with its upper end"),
    ('[controls.tempo]\nsource = "cc 3"\nrange = [80, 80]', 7, "controls.tempo.range", "[80, 80] begins with its upper end"),
    (
        '[controls.tempo]\nsource = "cc 3"\nrange = [10, 80]',
        7,
        "controls.tempo.range",
        "[10, 80] is out of range, tempo takes 0 to 220 BPM",
    ),
    ('[controls.tempo]\nsource = "cc 3"\nrange = [0, 20]', 7, "controls.tempo.range", "[0, 20] is out of range"),
    ('[controls.tempo]\nsource = "cc 3"\nrange = [nan, 80]', 7, "controls.tempo.range", "[nan, 80] begins"),
    ('[controls.tempo]\nsource = "cc 3"\nrange = "all"', 7, "controls.tempo.range", "'all' is not possible, give two numbers"),
    ('[controls.mute]\nsource = "cc 3"\nrange = [0, 1]', 7, "controls.mute.range", "mute is of kind toggle and has no part"),
    (
        '[controls.chord]\nsource = "cc 3"\nrange = [0.5, 3]',
        7,
        "controls.chord.range",
        "[0.5, 3] is not possible, give whole numbers",
    ),
    ('[controls.tempo]\nsource = "cc 128"', 6, "controls.tempo.source", "'cc 128' is not possible"),
    ('[controls.tempo]\nsource = "pressure 3"', 6, "controls.tempo.source", "'pressure 3' is not possible"),
    ("[controls.tempo]\nsource = 3", 6, "controls.tempo.source", "3 is not possible"),
    ('[controls.tempo]\nkind = "absolute"', 5, "controls.tempo", "source is missing"),
    (
        '[controls.tempo]\nsource = "cc 3"\nkind = "toggle"',
        7,
        "controls.tempo.kind",
        "'toggle' is not possible here, give absolute,",
    ),
    (
        '[controls.panic]\nsource = "cc 3"\nkind = "absolute"',
        7,
        "controls.panic.kind",
        "'absolute' is not possible here, give trigger",
    ),
    ('[controls.tempo]\nsource = "note 3"\nkind = "relative"', 7, "controls.tempo.kind", "'relative' is not possible here"),
    (
        '[controls.tempo]\nsource = "cc 3"\ntakeover = "hop"',
        7,
        "controls.tempo.takeover",
        "'hop' is not possible here, give pickup, jump",
    ),
    (
        '[controls.tempo]\nsource = "cc 3"\nkind = "relative"\ntakeover = "jump"',
        8,
        "controls.tempo.takeover",
        "of kind relative there is",
    ),
    ('[controls.tempo]\nsource = "cc 3"\ncoding = "offset"', 7, "controls.tempo.coding", "only an endless knob has one"),
    ('[controls.tempo]\nsource = "cc 3"\nkind = "cycle"', 5, "controls.tempo", "steps is missing"),
    ('[controls.tempo]\nsource = "cc 3"\nsteps = 4', 7, "controls.tempo.steps", "only where a choice or a cycle goes"),
    ('[controls.tempo]\nsource = "cc 3"\nbits = 8', 7, "controls.tempo.bits", "8 is not possible"),
    ('[controls.tempo]\nsource = "cc 32"\nbits = 14', 7, "controls.tempo.bits", "14 is not possible, give 14 only where"),
    (
        '[controls.tempo]\nsource = "cc 3"\nchannel = 0',
        7,
        "controls.tempo.channel",
        "0 is not possible, give a whole number from 1 to 16",
    ),
    ('[controls.tempo]\nsource = "cc 3"\nchannel = true', 7, "controls.tempo.channel", "True is not possible"),
    ('[controls.tempo]\nsource = "cc 3"\nreversed = 1', 7, "controls.tempo.reversed", "1 is not possible, give true or false"),
    ('[controls.tempo]\nsource = "cc 3"\nspeed = 1', 7, "controls.tempo.speed", "there is no such key, give source, kind"),
    ("[controls]\ntempo = 3", 6, "controls.tempo", "give a table"),
    ("[genres]\nnotes = [36, 36]", 6, "genres.notes", "[36, 36] is not possible"),
    ("[genres]\nnotes = 36", 6, "genres.notes", "36 is not possible"),
    ('[genres]\nprograms = "yes"', 6, "genres.programs", "'yes' is not possible"),
    ("[genres]\nchannel = 17", 6, "genres.channel", "17 is not possible"),
    ("[genres]\npads = []", 6, "genres.pads", "there is no such key"),
    ("[control.tempo]", 5, "control", "there is no such key, give [controls.NAME] tables and [genres]"),
]


@pytest.mark.parametrize(("text", "line", "key", "says"), WRONG, ids=[f"{key}: {says[:20]}" for _, _, key, says in WRONG])
def test_what_is_wrong_is_named_with_its_line_and_its_key(text, line, key, says):
    text = text if text.startswith("[controls]\n") else GOOD + text
    line = line if text.startswith(GOOD) else 2
    with pytest.raises(NoizestreamError) as raised:
        map_file.parse(text, "mine.toml")
    assert str(raised.value).startswith(f"map mine.toml, line {line}, {key}: {says}") and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[controls.tempo\n", "line 1"),
        ('[controls.tempo]\nsource = "cc 3"\n[controls.tempo]\n', "line 3"),
        ("a = " + "[" * 100000, "is not TOML"),
        ("a = 9999-99-99", "is not TOML"),
        ("a = " + "9" * 10000, "is not TOML"),
    ],
)
def test_what_is_not_toml_is_one_line(text, says):
    with pytest.raises(NoizestreamError, match=says) as raised:
        map_file.parse(text, "mine.toml")
    assert str(raised.value).startswith("map mine.toml: is not TOML (") and "\n" not in str(raised.value)


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_no_text_whatever_leads_to_anything_else_than_a_map_or_one_line(text):
    try:
        map_file.parse(text)
    except NoizestreamError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "missing file"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.write_bytes(b"\xff"), "cannot be read"),
        (lambda path: path.write_text("#" * 1_000_001), "too large"),
    ],
)
def test_a_file_that_cannot_be_read(make, says, tmp_path):
    make(tmp_path / "a.toml")
    with pytest.raises(NoizestreamError, match=says) as raised:
        map_file.read(tmp_path / "a.toml")
    assert str(raised.value).startswith(f"map {tmp_path}") and "\n" not in str(raised.value)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The folder of a person's own maps, which is there."""
    monkeypatch.setattr(map_file, "user_config_path", lambda name, appauthor: tmp_path / name)
    map_file.own_folder().mkdir(parents=True)
    return map_file.own_folder()


def test_a_map_is_found_by_name_ones_own_first(own):
    assert (
        map_file.find("Launch Control XL").name == "launch-control-xl.toml"
        and map_file.find("NANOKONTROL2").name == "nanokontrol2.toml"
    )
    (own / "LPD8.toml").write_text('[controls.volume]\nsource = "cc 1"\n')
    assert map_file.find("lpd8") == own / "LPD8.toml" and len(map_file.read("lpd8").controls) == 1


@pytest.mark.parametrize("asked", ["nano", "", "../lpd8"])
def test_a_name_that_is_not_there_says_which_are(asked, own):
    with pytest.raises(UsageError, match=r"no such map in .*nanokontrol2|missing file"):
        map_file.read(asked)


def test_a_folder_that_is_not_there_is_no_mistake(tmp_path, monkeypatch):
    monkeypatch.setattr(map_file, "user_config_path", lambda name, appauthor: tmp_path / "none")
    assert map_file.read("lpd8").controls


@pytest.mark.parametrize("name", SHIPPED)
def test_every_map_that_ships_says_what_it_follows_and_is_as_it_should_be(name):
    text = map_file.find(name).read_text(encoding="utf-8")
    assert re.match(r"# \w.*\n", text) and max(map(len, text.splitlines())) <= 132
    controller = map_file.parse(text, name)
    assert controller.controls and {control.parameter for control in controller.controls} <= set(BY_NAME)
    assert map_file.parse(map_file.text_of(controller)) == controller


def test_every_map_that_ships_is_listed():
    page = (ROOT / "docs" / "midi.md").read_text(encoding="utf-8")
    assert len(SHIPPED) >= 8 and all(f"`{name}`" in page for name in SHIPPED)


def test_the_map_that_the_page_shows_is_one():
    page = (ROOT / "docs" / "midi.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```\n(\[controls.*?)```", page, re.DOTALL)
    assert len(map_file.parse(text).controls) == 3
