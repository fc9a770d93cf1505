"""Files appear whole or not at all."""

import os
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from noizestream.errors import NoizestreamError, UsageError
from noizestream.system.files import check_output, expanded, home, look, not_a_file, reason, whole, writing
from tests.full import full_disk


def test_a_file_takes_its_place_only_when_it_is_whole(tmp_path):
    path = tmp_path / "take.txt"
    with whole(path) as partial:
        partial.write_text("first")
        assert not path.exists()
    with pytest.raises(RuntimeError), whole(path) as partial:
        partial.write_text("sec")
        raise RuntimeError
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path], "and nothing half-written stays"


def write(path: Path, text: str) -> None:
    with whole(path) as partial:
        partial.write_text(text)


def test_a_link_stays_and_what_it_leads_to_keeps_its_mode(tmp_path):
    (tmp_path / "deep").mkdir()
    target, link, dangling = tmp_path / "deep" / "real.json", tmp_path / "link.json", tmp_path / "dangling.json"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to("deep/real.json")
    dangling.symlink_to("deep/new.json")
    write(link, "one")
    write(dangling, "two")
    assert link.is_symlink() and target.read_text() == "one" and stat.S_IMODE(target.stat().st_mode) == 0o640
    assert dangling.is_symlink() and (tmp_path / "deep" / "new.json").read_text() == "two"
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["new.json", "real.json"]


@pytest.mark.parametrize("name", ["x" * 255, "caf\udce9.json", "~x", "a\nb"])
def test_any_name_that_a_file_can_have(tmp_path, name):
    write(check_output(tmp_path / name), "text")
    assert [path.name for path in tmp_path.iterdir()] == [name] and (tmp_path / name).read_text() == "text"


def test_what_is_no_regular_file_is_written_into(tmp_path):
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        heard = pool.submit(pipe.read_text)
        write(check_output(pipe, endings=(".json",)), "through")
        assert heard.result(30) == "through"
    assert stat.S_ISFIFO(pipe.stat().st_mode) and list(tmp_path.iterdir()) == [pipe]
    null = tmp_path / "null.json"
    null.symlink_to("/dev/null")
    write(check_output(null), "x")
    assert null.is_symlink() and stat.S_ISCHR(null.stat().st_mode)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system has no /proc")
def test_an_open_file_goes_on_where_it_stands(tmp_path):
    with open(tmp_path / "log.txt", "wb+") as file:
        file.write(b"before ")
        file.flush()
        link = tmp_path / "out.json"
        link.symlink_to(f"/proc/self/fd/{file.fileno()}")
        write(check_output(link, endings=(".wav",)), "between")
        file.seek(0, os.SEEK_END)
        file.write(b" after")
    assert (tmp_path / "log.txt").read_text() == "before between after"


def test_what_cannot_be_written_is_one_line_that_names_the_option(tmp_path):
    (tmp_path / "loop.json").symlink_to("loop.json")
    (tmp_path / "file").touch()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "s"))
        wrong = {".": "folder", "no/x.json": "does not exist", "file/x.json": "does not exist", "x" * 5000: "too long"}
        wrong |= {"y/" * 2500: "too long", "loop.json": "links", "s": "socket", "a\0b": "null"}
        for name, why in wrong.items():
            with pytest.raises(UsageError, match=rf"(?s)^--json .*{why}"):
                check_output(tmp_path / name, "--json")
    with pytest.raises(UsageError, match=r"x\.json: give a name that ends in \.wav or \.flac"):
        check_output(tmp_path / "x.json", endings=(".wav", ".flac"))
    with pytest.raises(IsADirectoryError), whole(tmp_path):
        pass


def test_what_is_there_is_looked_at_and_what_cannot_be_is_said(tmp_path):
    assert look(tmp_path) is not None and look(tmp_path / "none" / "x") is None
    with pytest.raises(NoizestreamError, match=r"^--prime .*too long"):
        look("x" * 5000, "--prime")


def test_why_there_is_no_file_to_read(tmp_path):
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    for name, leads_to in (("link", "file"), ("gone", "nowhere"), ("null", "/dev/null"), ("loop", "loop")):
        (tmp_path / name).symlink_to(leads_to)
    names = ("file", "link", "gone", "none", ".", "pipe", "null", "loop", "x" * 5000)
    assert [not_a_file(tmp_path / name) for name in names] == [
        "",
        "",
        "a link to nothing",
        "missing file",
        "is a folder, not a file",
        "is a pipe, a socket or a device, not a file",
        "is a pipe, a socket or a device, not a file",
        "cannot be read (Too many levels of symbolic links)",
        "cannot be read (File name too long)",
    ]


def test_a_tilde_is_a_home_only_where_nothing_is_called_so(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert expanded("~/music", tmp_path) == tmp_path / "home" / "music"
    assert expanded("~nobody-of-that-name", tmp_path) == tmp_path / "~nobody-of-that-name"
    (tmp_path / "~").mkdir()
    assert expanded("~", tmp_path) == tmp_path / "~"


def test_who_has_no_home_is_given_one(tmp_path, monkeypatch):
    def unknown(user: int) -> None:
        raise KeyError(user)

    monkeypatch.setattr("pwd.getpwuid", unknown)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("HOME", "")
    monkeypatch.delenv("HOME")
    made = home()
    assert made.parent == tmp_path and stat.S_IMODE(made.stat().st_mode) == 0o700 and os.environ["HOME"] == str(made)
    assert home() == made
    monkeypatch.delenv("HOME")
    made.chmod(0o777)
    with pytest.raises(NoizestreamError, match="HOME"):
        home()


def test_a_full_disk_is_one_line_whoever_writes(tmp_path):
    writers = {
        "text": lambda path: path.write_text("x" * 10_000),
        "numpy": lambda path: np.save(path.open("wb"), np.zeros(10_000)),
        "torch": lambda path: torch.save(torch.zeros(100_000), path),
    }
    for name, write in writers.items():
        path = tmp_path / name
        with pytest.raises(NoizestreamError) as raised, full_disk(), writing(path, "make room"), whole(path) as partial:
            write(partial)
        assert str(raised.value).startswith(f"{path}: cannot be written (") and str(raised.value).endswith("; make room")
        assert "None" not in str(raised.value) and "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_a_reason_is_the_systems_where_it_is_known():
    try:
        try:
            raise OSError(28, "No space left on device")
        except OSError:
            raise RuntimeError("unexpected pos 64 vs 0") from None
    except RuntimeError as error:
        assert reason(error) == "unexpected pos 64 vs 0", "what was said to be beside the point is not told"
    try:
        try:
            raise OSError(28, "No space left on device")
        except OSError:
            raise RuntimeError("unexpected pos 64 vs 0")  # noqa: B904
    except RuntimeError as error:
        assert reason(error) == "No space left on device"
    assert reason(KeyError()) == "KeyError"
