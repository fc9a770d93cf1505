"""Pictures: every kind and scale is a PNG that shows the audio; long files are drawn in pieces; faults are one line."""

from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from noizestream.analysis import views
from noizestream.analysis.views import view, view_file
from noizestream.commands.view import command
from noizestream.errors import NoizestreamError, UsageError
from noizestream.music.decode import decode

RATE = 48000
FAULTS = Path(__file__).parents[2].parent / "shared" / "faults"
KINDS = [("samples", None), ("envelope", "linear"), ("envelope", "log"), ("spectrogram", "log"), ("spectrogram", "linear")]


def sweep(seconds: float = 3.0) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return (0.5 * np.sin(2 * np.pi * (100 * time + 900 * time**2))).astype(np.float32)


@pytest.mark.parametrize(("kind", "scale"), KINDS)
def test_every_kind_is_drawn_and_differs_with_the_audio(tmp_path, kind, scale):
    pictures = []
    for number, audio in enumerate((sweep(), 0.2 * sweep()[::-1])):
        file = tmp_path / f"{number}.png"
        view(np.stack([audio, audio]), RATE, file, kind, scale, "a $title [ü 音]")
        pictures.append(matplotlib.image.imread(file))
    assert pictures[0].shape[0] > 400 and pictures[0].shape[1] > 1000
    assert np.abs(pictures[0] - pictures[1]).max() > 0.5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.png", "1.png"]


@pytest.mark.parametrize("audio", [np.zeros(RATE), np.ones(1), np.full(5000, np.nan), sweep(0.01)])
@pytest.mark.parametrize(("kind", "scale"), KINDS)
def test_odd_audio_is_drawn_too(tmp_path, audio, kind, scale):
    view(audio.astype(np.float32), RATE, tmp_path / "x.png", kind, scale)
    assert (tmp_path / "x.png").stat().st_size > 1000


def test_spectrogram_has_the_tone_where_it_is():
    time = np.arange(2 * RATE) / RATE
    for scale in ("log", "linear"):
        level = views._bands((0.5 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32), RATE, 100, scale)
        row = level[:, 50].argmax()
        borders = views._borders(views._frequencies(RATE, scale), scale)
        assert borders[row] - 12 < 1000 < borders[row + 1] + 12
        assert 10 * np.log10(level[row, 50]) == pytest.approx(-6, abs=1.5)


@pytest.mark.parametrize("kind", ["samples", "spectrogram"])
def test_a_long_file_is_read_in_pieces_and_looks_the_same(tmp_path, monkeypatch, kind):
    audio = np.concatenate([sweep(), 0.3 * sweep()[::-1]])
    soundfile.write(tmp_path / "a.wav", audio, RATE)
    view_file(tmp_path / "a.wav", tmp_path / "whole.png", kind)
    monkeypatch.setattr(views, "PIECE_S", 2.0)
    view_file(tmp_path / "a.wav", tmp_path / "pieces.png", kind)
    whole, pieces = (matplotlib.image.imread(tmp_path / name) for name in ("whole.png", "pieces.png"))
    assert np.mean(np.abs(whole - pieces) > 0.1) < 0.02


@pytest.mark.skipif(not FAULTS.is_dir(), reason="needs ../shared/faults beside the checkout")
def test_a_file_without_a_length_is_drawn_as_one_that_has_it(tmp_path, monkeypatch):
    odd = FAULTS / "flac_unknown_length" / "Odd" / "a.flac"
    soundfile.write(tmp_path / "a.flac", decode(odd, 8000)[0], 8000)
    monkeypatch.setattr(views, "PIECE_S", 1.5)
    view_file(odd, tmp_path / "odd.png")
    view_file(tmp_path / "a.flac", tmp_path / "even.png")
    odd_picture, even = (matplotlib.image.imread(tmp_path / name) for name in ("odd.png", "even.png"))
    assert np.array_equal(odd_picture, even)


def test_of_a_file_that_is_cut_off_the_rest_is_empty(tmp_path):
    soundfile.write(tmp_path / "a.flac", np.random.default_rng(0).uniform(-0.5, 0.5, 4 * RATE), RATE)
    (tmp_path / "a.flac").write_bytes((tmp_path / "a.flac").read_bytes()[:-100_000])
    view_file(tmp_path / "a.flac", tmp_path / "a.png", "samples")
    assert (tmp_path / "a.png").is_file()


def test_faults_are_named(tmp_path):
    soundfile.write(tmp_path / "a.wav", sweep(), RATE)
    (tmp_path / "text.wav").write_text("no audio")
    for source, target, kind, scale, error in [
        ("gone.wav", "x.png", "samples", None, NoizestreamError),
        ("text.wav", "x.png", "samples", None, NoizestreamError),
        ("a.wav", "x.jpg", "samples", None, UsageError),
        ("a.wav", "gone/x.png", "samples", None, NoizestreamError),
        ("a.wav", "x.png", "samples", "log", UsageError),
        ("a.wav", "x.png", "wavelet", None, UsageError),
        ("a.wav", "x.png", "envelope", "cubic", UsageError),
    ]:
        with pytest.raises(error):
            view_file(tmp_path / source, tmp_path / target, kind, scale)
    assert not (tmp_path / "x.png").exists()


def test_the_command(tmp_path):
    soundfile.write(tmp_path / "a.wav", sweep(), RATE)
    result = CliRunner().invoke(
        command, [str(tmp_path / "a.wav"), "-o", str(tmp_path / "a.png"), "--kind", "envelope", "--scale", "log"]
    )
    assert result.exit_code == 0 and (tmp_path / "a.png").is_file()
