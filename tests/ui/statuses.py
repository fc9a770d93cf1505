"""A status as a session would give it."""

from noizestream.modelfile.metadata import Metadata
from noizestream.session.status import Device, Latency, SessionStatus
from tests.foreign_models import METADATA

DEVICE = Device("card", "ALSA", 48000, 2, 256, compiled=True)

STATUS = SessionStatus(
    models=(Metadata(**METADATA),),
    model=0,
    genre="Jazz",
    genre_weights=(1.0, 0.0, 0.0),
    controls={"temperature": 1.0, "tempo": 0.0, "volume": 0.0, "mute": 0.0},
    changed=(),
    playing=True,
    device=DEVICE,
    latency=Latency(1, 2, 3, 4, ring=58),
    peak=0.25,
    ring_ms=38.0,
    load=0.12,
)
