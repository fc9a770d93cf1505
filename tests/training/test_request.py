"""What a person may ask of a training."""

from noizestream.commands.train import command
from noizestream.training.request import TrainingRequest


def test_the_command_line_asks_what_python_asks_with_the_same_defaults():
    assert command.make_context("train", []).params == vars(TrainingRequest())
