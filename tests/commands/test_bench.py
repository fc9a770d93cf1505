"""`noizestream bench` as a person runs it."""

import json

import pytest

from tests.commands.run import assert_one_line, run


def test_a_table_a_verdict_and_the_figures(sine_model, tmp_path):
    done = run("bench", sine_model, "--seconds", 1, "--json", tmp_path / "bench.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "bench.json").read_text())
    assert done.stdout.splitlines()[-1] == found["verdict"] and found["verdict"].startswith("sine ")
    (form,) = found["precisions"].values()
    step = form["step_ms"]
    assert 0 < step["p50"] <= step["p95"] <= step["p99"] <= step["max"]
    # The mean lies between half the median and the longest, however busy the machine.
    assert 0.99 * found["block_ms"] / step["max"] < form["realtime_factor"] + 0.01 < 2.1 * found["block_ms"] / step["p50"]
    assert 0 < form["load"] < 2 and form["memory_mb"] > 50
    *failed, last = form["trials"]
    assert all(trial["underruns"] for trial in failed), "it goes on only while something is wrong"
    assert form["latency_ms"] == (None if last["underruns"] else last["kept_ms"])
    assert f"{last['kept_ms']:.1f} ms" in done.stdout or last["underruns"]
    assert found["machine"]["torch"] in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nowhere.ts"], 1, ["nowhere.ts"]),
        (["{model}", "--seconds", "0"], 2, ["--seconds"]),
        (["{model}", "--json", "missing/bench.json"], 2, ["--json", "does not exist"]),
    ],
)
def test_wrong_use_is_one_line(arguments, code, words, sine_model, tmp_path):
    assert_one_line(run("bench", *[a.replace("{model}", str(sine_model)) for a in arguments], cwd=tmp_path), code, *words)
    assert not list(tmp_path.iterdir())
