"""The addresses as the command prints them, and options of `play` that cannot be."""

import json

from tests.commands.run import assert_one_line, run


def test_the_addresses_are_printed_for_a_person_and_for_a_program(sine_model):
    done = run("osc", sine_model)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and lines[0].startswith("/noizestream/genre ") and '"A:0.7,B:0.3"' in lines[0]
    assert any(line.split()[:4] == ["/noizestream/temperature", "f|i", "0", "to"] for line in lines)
    assert not any(line.startswith("/noizestream/chord") for line in lines), "it has none"
    done = run("osc", sine_model, "--json")
    assert json.loads(done.stdout)["CONTENTS"]["genre"]["RANGE"] == [{"VALS": ["A", "B", "C"]}]


def test_a_port_that_cannot_be_is_one_line(sine_model):
    assert_one_line(run("play", sine_model, "--osc", "99999"), 2, "--osc: 99999 is not possible", "HOST:PORT")
    assert_one_line(run("osc", "none.ts"), 1, "none.ts")
