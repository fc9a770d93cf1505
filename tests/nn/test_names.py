"""The names of weights stay as they are: weight files and checkpoints are keyed by them."""

import torch

from noizestream.nn.layers import LayerFront
from noizestream.nn.raw import RawPlayer, RawPredictor
from noizestream.nn.spectral import SpectralFront
from rig.made_up import player

NAVIGATOR = """allowed embed enter.bias enter.weight going going_bias head head_bias out out_bias piece.weight proposed
    proposed_bias recurrent.cells.0.bias_hh recurrent.cells.0.bias_ih recurrent.cells.0.weight_hh
    recurrent.cells.0.weight_ih
    recurrent.cells.1.bias_hh recurrent.cells.1.bias_ih recurrent.cells.1.weight_hh recurrent.cells.1.weight_ih taken turns"""
LAYERS = "band_of basis hz image_columns layer_of mean mixing part_of step weight"
OWNERS = {
    "layers": ("", "hearing."),
    "memory": (
        "",
        "hearing.",
        "chooser.",
        "chooser.hearing.",
        "director.",
        "director.chooser.",
        "director.chooser.hearing.",
        "reader.",
    ),
    "navigator": ("", "hearing.", "chooser.", "chooser.hearing.", "director.", "director.chooser.", "director.chooser.hearing."),
}


def test_the_names_of_a_unit_players_weights_are_those_of_the_files():
    made = player(SpectralFront(16000, 128))
    assert sorted(made.navigator.state_dict()) == NAVIGATOR.split()
    assert sorted(made.layers.state_dict()) == sorted(LayerFront(SpectralFront(16000, 128)).state_dict()) == LAYERS.split()


def test_a_unit_player_holds_its_networks_where_it_did():
    made = player(SpectralFront(16000, 128))
    names = set(made.state_dict())
    assert len(names) == 444
    for part, owners in OWNERS.items():
        for owner in owners:
            assert {f"{owner}{part}.{name}" for name in getattr(made, part).state_dict()} <= names, owner


def test_the_names_of_the_baselines_weights_are_those_of_its_checkpoints():
    made = RawPlayer(RawPredictor(128, 3, 32), 16000, torch.zeros(3, 128))
    cells = [name for name in NAVIGATOR.split() if name.startswith("recurrent.")]
    own = sorted([*cells, "head.weight", "head.bias", "scale"])
    assert sorted(made.state_dict()) == sorted(["deviation", *(f"predictor.{name}" for name in own)])
