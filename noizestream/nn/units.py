"""The whole generator as one pure step: a navigator over slots, a memory of real sound in layers.

docs/model-format.md gives the contract of what is scripted. The step is in unit_step.py, scoring in scoring.py, priming in
priming.py; what is kept between blocks is named in unit_state.py.
"""

from noizestream.nn.parts import Parts, Pulse
from noizestream.nn.priming import Priming
from noizestream.nn.scoring import Scoring
from noizestream.nn.unit_controls import controls_of
from noizestream.nn.unit_step import UnitStep


class UnitPlayer(UnitStep, Scoring, Priming):
    """What becomes a model file. Its `controls` are those of `controls_of`."""

    def __init__(self, parts: Parts, pulse: Pulse):
        super().__init__(parts, pulse)
        self.controls = controls_of(parts.layers.names, parts.memory.genres)
