"""Previews: a WAV and a picture for every genre, whatever the genres are called."""

from types import SimpleNamespace

import torch

from noizestream.training.export import preview


def test_every_genre_has_files_of_its_own(tmp_path, monkeypatch):
    genres = ["R&B", "R B", "R-B", "r-b", "../..", "x" * 300, "[/bold] $x$"]
    monkeypatch.setattr(preview, "generate", lambda player, scripted, genre, *rest: torch.full((1, 4800), genre / 10))
    monkeypatch.setattr("noizestream.analysis.views.view", lambda audio, rate, file, **rest: file.touch())
    written = preview.write_previews(tmp_path, "final", SimpleNamespace(sample_rate=48000), None, dict(enumerate(genres)))
    assert len(written) == len(genres) and {file.parent for file in written} == {tmp_path / "previews" / "final"}
    assert sorted(tmp_path.rglob("*.wav")) == sorted(written), "none has taken the place of another"
    assert len(list(tmp_path.rglob("*.png"))) == len(genres)
    assert written[genres.index("R-B")].name == "R-B.wav"
