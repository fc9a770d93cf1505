"""The model file: round trip, golden check, and a single clear line for every file that cannot be played."""

import json
import logging
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from noizestream.errors import NoizestreamError
from noizestream.modelfile import archive
from noizestream.modelfile.metadata import REQUIRED, Metadata
from tests import foreign_models as foreign
from tests.full import full_disk


def bad_files(folder):
    """name -> (path, words its error must hold): one of each kind of file that cannot be played."""
    good = foreign.write(foreign.White(), folder / "good.ts")
    text = folder / "text.ts"
    text.write_text("certainly not a model\n" * 100)
    empty = folder / "empty.ts"
    empty.touch()
    cut = folder / "cut.ts"
    cut.write_bytes(good.read_bytes()[:-400])
    zipped = folder / "archive.ts"
    with zipfile.ZipFile(zipped, "w") as file:
        file.writestr("hello.txt", "hello")
    folder_model = folder / "folder.ts"
    folder_model.mkdir(exist_ok=True)
    lacking = {key: value for key, value in foreign.METADATA.items() if key not in ("genres", "noise_size")}
    return {
        "missing": (folder / "nowhere.ts", "no such"),
        "folder": (folder_model, "folder"),
        "text": (text, "not a model file"),
        "empty": (empty, "not a model file"),
        "archive": (zipped, "not a TorchScript"),
        "cut short": (cut, "cut short"),
        "not ours": (foreign.write(foreign.White(), folder / "stranger.ts", None), "metadata.json"),
        "newer": (foreign.write(foreign.White(), folder / "newer.ts", foreign.METADATA | {"format_version": 2}), "upgrade"),
        "keys missing": (foreign.write(foreign.White(), folder / "lacking.ts", lacking), "lacks genres, noise_size"),
        "odd value": (foreign.write(foreign.White(), folder / "odd.ts", foreign.METADATA | {"sample_rate": "fast"}), "sample_rate"),
        "no step": (foreign.write(foreign.NoStep(), folder / "nostep.ts"), "initial_state"),
        "raising": (foreign.write(foreign.Raising(), folder / "raising.ts"), "step fails"),
        "wrong shape": (foreign.write(foreign.WrongShape(), folder / "shape.ts"), "[2, 256]"),
    }


KINDS = ["missing", "folder", "text", "empty", "archive", "cut short", "not ours", "newer", "keys missing", "odd value", "no step"]
KINDS += ["raising", "wrong shape"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_cannot_be_played_is_one_clear_line(tmp_path, kind):
    path, words = bad_files(tmp_path)[kind]
    with pytest.raises(NoizestreamError) as raised:
        archive.load(path)
    message = str(raised.value)
    assert message.startswith(str(path)) and words in message and "\n" not in message


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.6, 0.9, 0.999])
def test_cut_anywhere(sine_model, tmp_path, kept):
    whole = sine_model.read_bytes()
    path = tmp_path / "cut.ts"
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(NoizestreamError, match="cut short or damaged"):
        archive.load(path)


def test_damage_inside_is_reported(sine_model, tmp_path):
    whole = bytearray(sine_model.read_bytes())
    with zipfile.ZipFile(sine_model) as zipped:
        code = next(info for info in zipped.infolist() if info.filename.endswith(".py"))
    lengths = whole[
        code.header_offset + 26 : code.header_offset + 30
    ]  # of the name and of the padding that follow the local header
    start = code.header_offset + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
    whole[start : start + code.compress_size] = bytes(code.compress_size)
    path = tmp_path / "damaged.ts"
    path.write_bytes(whole)
    with pytest.raises(NoizestreamError) as raised:
        archive.load(path)
    assert "\n" not in str(raised.value)


def test_round_trip_keeps_metadata_and_sound(sine_model, tmp_path, caplog):
    module, metadata = archive.load(sine_model)
    metadata = replace(metadata, name="copy", extra={"licence": "CC0-1.0", "training": {"steps": 3}})
    written = archive.save(module, metadata, tmp_path / "copy.ts")
    again, read = archive.load(tmp_path / "copy.ts")
    assert read == written and read.extra["training"] == {"steps": 3}
    golden = np.array(read.extra["golden"])
    assert golden.shape == (1, 512) and np.abs(golden).max() > 0.1
    np.testing.assert_allclose(archive.first_block(again, read, "copy"), golden, atol=1e-6)
    assert not caplog.records
    assert list(json.loads(read.to_json()))[:9] == list(REQUIRED)
    assert [path.name for path in tmp_path.iterdir()] == ["copy.ts"]


def test_another_golden_warns_in_one_line(sine_model, tmp_path, caplog):
    module, metadata = archive.load(sine_model)
    golden = archive.first_block(module, metadata, "")
    for shift, warnings in ((0.005, 0), (0.02, 1)):
        caplog.clear()
        shifted = {"golden": (golden + shift).tolist()}
        path = foreign_copy(sine_model, tmp_path / f"{shift}.ts", shifted)
        with caplog.at_level(logging.WARNING):
            archive.load(path)
        assert len(caplog.records) == warnings
        assert all("\n" not in record.getMessage() for record in caplog.records)


def foreign_copy(source, path, more):
    """The same model with `more` in its metadata."""
    import torch

    metadata = json.loads(archive.read_metadata(source).to_json()) | more
    torch.jit.save(torch.jit.load(str(source)), str(path), _extra_files={"metadata.json": json.dumps(metadata)})
    return path


def test_a_failed_save_leaves_what_was_there(sine_model, tmp_path):
    import torch

    path = tmp_path / "model.ts"
    path.write_text("precious")
    _, metadata = archive.load(sine_model)
    with pytest.raises(NoizestreamError, match="step"):
        archive.save(torch.jit.script(foreign.WrongShape()), metadata, path)
    with pytest.raises(NoizestreamError, match="cannot write"):
        archive.save(*archive.load(sine_model), tmp_path / "no" / "folder.ts")
    assert path.read_text() == "precious" and list(tmp_path.iterdir()) == [path]


def test_metadata_and_models_are_read_without_torch(sine_model):
    code = (
        "import sys; from noizestream.modelfile import archive; "
        f"print(archive.read_metadata({str(sine_model)!r}).genres, sorted(archive.bundled_models())); "
        "assert 'torch' not in sys.modules and 'scipy' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("['A', 'B', 'C']")


def test_find_model_takes_a_path_or_a_bundled_name(sine_model):
    assert archive.find_model(str(sine_model)) == sine_model
    for name, path in archive.bundled_models().items():
        assert archive.find_model(name) == path
    with pytest.raises(NoizestreamError, match="bundled: "):
        archive.find_model("no-such-model")


def test_our_metadata_survive_json():
    metadata = Metadata.from_json(json.dumps(foreign.METADATA | {"licence": "é"}))
    assert Metadata.from_json(metadata.to_json()) == metadata


def test_a_folder_named_like_a_bundled_model_does_not_hide_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "studio").mkdir()
    assert archive.find_model("studio") == archive.bundled_models()["studio"]


def test_a_full_disk_is_said_and_leaves_nothing(sine_model, tmp_path):
    module, metadata = archive.load(sine_model)
    with full_disk(), pytest.raises(NoizestreamError, match=r"m\.ts: cannot write the model here \(File too large") as raised:
        archive.save(module, metadata, tmp_path / "m.ts")
    assert "\n" not in str(raised.value) and not list(tmp_path.iterdir())
