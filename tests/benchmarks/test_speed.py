"""The benchmark of a step: every form and part is there, and its page holds what was printed."""

import sys

import pytest
import torch

from benchmarks import performance, speed


def test_every_form_and_every_part_is_timed():
    with torch.inference_mode():
        found = speed.measure("small", channels=2, steps=speed.TURN)
    forms = found["forms"]
    assert forms["scripted float32"]["to_float32"] == forms["whole scripted float32"]["to_float32"] == 1
    assert "naive eager" in forms and all(form["ms"] > 0 for form in forms.values())
    for parts in found["parts"].values():
        blocks = {"midst of a slot", "a slot begins", "the LSTM is asked", "transposed"}
        assert set(parts) == blocks | {"sound"} and all(value > 0 for value in parts.values())
        assert parts["sound"] < 3 * parts["midst of a slot"] and parts["midst of a slot"] < 3 * parts["transposed"]


def test_the_page_names_command_and_machine(tmp_path, monkeypatch, capsys):
    told = performance.Benchmark("speed", "A title", "About it.", ("-c", "print('12 ms')"))
    failing = performance.Benchmark("memory", "Another", "About that.", ("-c", "raise SystemExit(3)"))
    monkeypatch.setattr(performance, "BENCHMARKS", (told, failing))
    page = tmp_path / "page.md"
    monkeypatch.setattr(sys, "argv", ["performance.py", "--only", "speed", "-o", str(page)])
    performance.main()
    text = page.read_text()
    assert "## A title" in text and "\n12 ms\n```" in text and "torch 2" in text and "12 ms" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["performance.py", "-o", str(page)])
    page.unlink()
    with pytest.raises(SystemExit, match="failed with 3"):
        performance.main()
    assert not page.exists()
