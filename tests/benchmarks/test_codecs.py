"""The benchmarks of the codec and of long renderings."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks import long, opus
from noizestream.errors import NoizestreamError
from tests import foreign_models
from tests.analysis import optional_model

RATE = 48000


@pytest.fixture
def library(tmp_path, monkeypatch) -> Path:
    """One genre: 3 s to learn from, and 3 s held out, of chords with an attack."""
    monkeypatch.setenv("NOIZESTREAM_CACHE", str(tmp_path / "cache"))
    time = np.arange(3 * RATE) / RATE
    lines = ["path,genre,split"]
    for split, root in (("training", 220), ("test", 247)):
        chord = sum(np.sin(2 * np.pi * root * ratio * time) for ratio in (1, 1.26, 1.5)) * np.exp(-4 * (time % 0.5))
        soundfile.write(tmp_path / f"{split}.wav", 0.2 * chord, RATE)
        lines.append(f"{split}.wav,A,{split}")
    (tmp_path / "list.csv").write_text("\n".join(lines))
    return tmp_path / "list.csv"


@pytest.mark.skipif(shutil.which("opusenc") is None, reason="opus-tools are not installed")
def test_opus_gets_better_with_its_rate_and_stands_beside_the_model(library, tmp_path, capsys):
    model = foreign_models.write(optional_model.Persistent(), tmp_path / "m.ts", optional_model.METADATA)
    line = [str(library), str(model), "--kbit", "8,64", "--seconds", "3", "--workers", "0", "--json", str(tmp_path / "o.json")]
    rows = opus.main(line)
    assert list(rows) == ["Opus 8", "Opus 64", "codec", "model"]
    for distance in ("codec", "tonal"):
        assert rows["Opus 64"][distance] < rows["Opus 8"][distance]
        assert rows["codec"][distance] < rows["Opus 8"][distance]
    assert rows["Opus 8"]["kbit"] < rows["Opus 64"]["kbit"] < rows["codec"]["kbit"] == pytest.approx(95, abs=1)
    assert rows["model"]["genres"]["A"]["seconds"] == pytest.approx(3)
    assert json.loads((tmp_path / "o.json").read_text()) == rows and "codec" in capsys.readouterr().out


def test_a_long_rendering_minute_by_minute(library, sine_model, capsys):
    result = long.main([str(sine_model), "--minutes", "1", "--genres", "a", "-t", "0", "--data", str(library), "--workers", "0"])
    (minute,) = result["minutes"]["A"]
    assert minute["silence"] == 0 and minute["repeats"] > 0.8  # a tone that never ends
    assert minute["level"] == pytest.approx(20 * np.log10(0.25 / 2**0.5), abs=2)
    assert minute["flux"] < result["real"]["A"]["flux"] and "real" in capsys.readouterr().out
    with pytest.raises(NoizestreamError):
        long.main(["nowhere.ts"])
