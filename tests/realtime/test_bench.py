"""The parts of a measurement: what is stepped, and the sentence at the end."""

from dataclasses import replace

import pytest

from noizestream.modelfile import archive
from noizestream.realtime.bench import performance, step_times, verdict

GOOD = {"realtime_factor": 12.0, "latency_ms": 16.0, "load": 0.115, "trials": [{"kept_ms": 16.0}]}


def test_both_forms_are_stepped_equally_long(sine_model, tmp_path):
    module, metadata = archive.load(sine_model)
    both = archive.save(module, replace(metadata, extra={"precision": "int8"}), tmp_path / "both.ts", module)
    times = step_times(tmp_path / "both.ts", archive.precisions(both), 1.3)
    assert list(times) == ["int8", "float32"]
    assert {len(seconds) for seconds in times.values()} == {122} and all((seconds > 0).all() for seconds in times.values())


def test_a_performance_visits_every_genre_within_what_the_model_takes(sine_model):
    metadata = archive.read_metadata(sine_model)
    asked = [performance(metadata, number) for number in range(15)]
    assert {tuple(genre) for genre, _ in asked} == {(1, 0, 0), (0, 1, 0), (0, 0, 1)}
    temperatures = {values[0] for _, values in asked}
    assert len(temperatures) == 5 and max(temperatures) <= 2


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (GOOD, "x plays at 16 ms latency with 88 % of a core to spare"),
        (GOOD | {"realtime_factor": 0.5}, "too slow for this machine: a step takes 20.0 ms, and a block lasts 10.0 ms"),
        (GOOD | {"latency_ms": None}, "ran dry even with 16 ms kept ready"),
    ],
)
def test_verdict(form, words):
    assert words in verdict({"model": "x", "block_ms": 10.0, "precisions": {"float32": form}})
