"""The worker's own parts."""

from noizestream.engine.generator import load
from noizestream.realtime.ring import Ring
from noizestream.realtime.worker_loop import _Controls


def test_what_is_asked_for_beyond_a_range_is_limited_while_it_plays(sine_model):
    """A rounding error of a mapping must not cost the other controls of the same message."""
    generator, ring = load(sine_model), Ring.create(1024, 1)
    try:
        ring.set_controls([0, 1, 0], [2.0000001])
        _Controls(ring, generator).look()
        assert generator._controls.tolist() == [2.0] and generator._genre.tolist() == [0, 1, 0]
    finally:
        ring.close()
