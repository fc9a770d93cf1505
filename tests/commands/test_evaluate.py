"""`noizestream evaluate`: like music passes for its genre and unlike music does not; the same command, the same figures."""

import json
import shutil
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from noizestream.commands.evaluate import command
from noizestream.errors import NoizestreamError, UsageError
from tests import foreign_models
from tests.analysis import optional_model
from tests.commands.run import assert_one_line, run

RATE = 48000


def library(folder: Path, seed: int, seconds: int = 12) -> Path:
    """A: tones that beat twice a second; B: noise that never does; C: steady buzz."""
    random = np.random.default_rng(seed)
    time = np.arange(seconds * RATE) / RATE
    hz = 200 + 20 * random.random()
    genres = {
        "A": np.sin(2 * np.pi * hz * time) * np.exp(-6 * (time % 0.5)),
        "B": random.standard_normal(len(time)) * 0.3,
        "C": np.sign(np.sin(2 * np.pi * hz * time)),
    }
    for genre, audio in genres.items():
        (folder / genre).mkdir(parents=True)
        soundfile.write(folder / genre / "a.wav", 0.3 * audio, RATE)
    return folder


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> Path:
    return library(tmp_path_factory.mktemp("evaluated") / "real", 1)


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> str:
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def evaluate(cache, tmp_path, monkeypatch):
    """Run the command in this process; the figures and what was printed."""
    monkeypatch.setenv("NOIZESTREAM_CACHE", cache)

    def call(*arguments: object) -> tuple[dict, str]:
        target = tmp_path / "figures.json"
        line = [*map(str, arguments), "--workers", "0", "--json", str(target)]
        result = CliRunner().invoke(command, line, catch_exceptions=False)
        assert result.exit_code == 0
        return json.loads(target.read_text()), result.output

    return call


def test_like_music_is_recognised_and_unlike_music_is_not(evaluate, real, tmp_path):
    like, unlike = library(tmp_path / "like", 2), tmp_path / "unlike"
    for genre, other in (("A", "B"), ("B", "C"), ("C", "A")):
        (unlike / genre).mkdir(parents=True)
        shutil.copy(like / other / "a.wav", unlike / genre)
    good, printed = evaluate(real, "--audio", like)
    bad, _ = evaluate(real, "--audio", unlike)
    assert good["all"]["recognised"]["made"] > 0.9 and bad["all"]["recognised"]["made"] < 0.1
    assert good["all"]["own_nearest"] and not bad["all"]["own_nearest"]
    for genre in "ABC":
        assert good["genres"][genre]["frechet"]["own"] < bad["genres"][genre]["frechet"]["own"]
    alive, dead = good["genres"]["A"]["liveliness"], bad["genres"]["A"]["liveliness"]
    assert alive["ratio"]["pulse"] == pytest.approx(1, abs=0.2) and dead["ratio"]["pulse"] < 0.5
    assert alive["tempo_error"] < 0.01
    assert printed.count("not offered") == 3  # an audio folder says nothing of other music, and has no codec and no memory
    sound, dull = good["genres"]["A"]["notes"], bad["genres"]["A"]["notes"]
    assert sound["ratio"]["notes"] == pytest.approx(1, abs=0.2) and sound["made"]["notes"] == pytest.approx(2, abs=0.2)
    assert dull["ratio"]["notes"] < 0.2 and sound["control"]["long"] < 0.2 < sound["made"]["long"]
    assert printed.index("Notes: made / real") < printed.index("Novelty") < printed.index("Genre recognised")


def test_a_copy_of_the_training_audio_is_seen(evaluate, tmp_path):
    real = library(tmp_path / "long", 3, 30)  # a fifth, less a second, is held out: 5 s
    copied, printed = evaluate(real, "--audio", real, "--pictures", tmp_path, "--genres", "b")
    noise = copied["genres"]["B"]["copying"]["4s"]
    assert noise["made"]["p5"] < 0.1 < noise["held_out"]["p5"] and noise["nearer"] > 0.5
    assert noise["closest"]["training"]["file"] == "a.wav"
    layers = copied["genres"]["B"]["copying"]["layers"]
    assert set(layers) == {"bass", "middle", "top"} and all(layer["nearer"] > 0.5 for layer in layers.values())
    assert "Novelty, layer by layer" in printed and "Going on in the memory: not offered" in printed
    assert {path.name for path in tmp_path.glob("*.png")} == {"B-made.png", "B-real.png", "B-notes.png"}


def test_a_model_is_rendered_probed_and_drawn_and_twice_the_same(evaluate, real, tmp_path):
    model = foreign_models.write(optional_model.Persistent(), tmp_path / "stereo.ts", optional_model.METADATA)
    arguments = [model, real, "--seconds", 4, "--seeds", 2, "-t", 0.9]
    first, printed = evaluate(*arguments, "--pictures", tmp_path / "pictures")
    second, _ = evaluate(*arguments)
    assert first == second
    assert set(first["genres"]) == {"A", "B"} and "not offered" not in printed
    noise = first["genres"]["B"]
    assert 0 < noise["liveliness"]["ratio_error"]["flux"] < 0.1 and "±" in printed
    assert noise["recognised"]["made_windows"] == 6 and noise["recognised"]["made"] == 1
    assert noise["prediction"]["nats"] == 2 and noise["prediction"]["model"]["mse"] > 0 and noise["codec"]["codec"] > 0.1
    assert first["all"]["prediction"]["nats"] == 1.5
    on, jumping = noise["places"]["layers"]  # 750 blocks are 47 slots, whose first is not counted
    assert on == {"went_on": 1, "longest_s": 4} and noise["places"]["longest_s"] == 4
    assert jumping["went_on"] == pytest.approx(35 / 46, abs=1e-5) and jumping["longest_s"] == pytest.approx(
        64 * 256 / RATE, abs=1e-5
    )
    assert noise["image"]["made"]["width"] == pytest.approx(1, abs=0.1), "its sides are unrelated"
    assert set(noise["image"]["real"].values()) == {0.0}, "and the music's one channel is mono"
    drawn = {path.name: matplotlib.image.imread(path) for path in (tmp_path / "pictures").iterdir()}
    assert set(drawn) == {"confusion.png", "A-made.png", "A-real.png", "B-made.png", "B-real.png", "A-notes.png", "B-notes.png"}
    assert all(picture.shape[1] > 400 and np.ptp(picture[..., :3]) > 0.5 for picture in drawn.values())


def test_a_model_without_optional_methods(evaluate, real, sine_model):
    figures, printed = evaluate(sine_model, real, "--seconds", 4, "--seeds", 1, "--genres", "a", "-t", 0)
    assert printed.count("not offered") == 4  # prediction, memory, codec, and with one genre nothing to tell it from
    assert figures["genres"]["A"]["liveliness"]["made"]["repeats"] > 0.8  # a tone that never ends
    assert figures["genres"]["A"]["prediction"] is None
    assert figures["genres"]["A"]["liveliness"]["ratio_error"]["flux"] is None, "of one performance nobody can say"


WRONG = [
    (["{model}"], 2, ["MODEL DATA"]),
    (["{model}", "{data}", "--audio", "{data}"], 2, ["MODEL DATA"]),
    (["{model}", "{data}", "--seconds", "2"], 2, ["--seconds"]),
    (["{model}", "{data}", "-t", "3"], 2, ["temperature"]),
    (["{model}", "nowhere"], 1, ["nowhere"]),
    (["nowhere.ts", "{data}"], 1, ["nowhere.ts"]),
    (["{model}", "{data}", "--json", "no/x.json"], 2, ["no/x.json"]),
]


@pytest.mark.parametrize(("arguments", "code", "words"), WRONG)
def test_wrong_use_is_named(sine_model, real, arguments, code, words):
    arguments = [argument.format(model=sine_model, data=real) for argument in arguments]
    error = CliRunner().invoke(command, arguments).exception
    assert isinstance(error, NoizestreamError) and isinstance(error, UsageError) == (code == 2)
    assert all(word in str(error) for word in words)


def test_no_genre_in_common_is_one_line(sine_model, real, tmp_path):
    (tmp_path / "other" / "Polka").mkdir(parents=True)
    shutil.copy(real / "A" / "a.wav", tmp_path / "other" / "Polka")
    assert_one_line(run("evaluate", sine_model, tmp_path / "other", "--json", tmp_path / "x.json"), 1, "Polka", "A, B, C")
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
