"""What `play` says before it sounds: which models, through what, and how late."""

from collections.abc import Mapping, Sequence

from noizestream.devices.audio_process import Found, Opened
from noizestream.devices.rtmidi import MidiPort
from noizestream.modelfile.metadata import Metadata

PROGRAMS = 128
"""MIDI has so many program changes."""


def announcement(
    models: Sequence[Metadata],
    precision: str,
    found: Found,
    opened: Opened,
    period: int,
    latency: Mapping[str, float],
    port: MidiPort | None,
) -> list[str]:
    """Lines for the user at the start. The first of `models` plays, in `precision`.

    `period` is in frames, `latency` in ms by its parts, `control` their sum, `ring` what is kept ready.
    """
    model = models[0]
    parts = " + ".join(f"{name} {latency[name]:.0f}" for name in ("midi", "change", "device", "model"))
    lines = [f"model    {each.name}: {', '.join(each.genres)}" for each in models]
    if (most := max(len(each.genres) for each in models)) > PROGRAMS:
        lines.append(f"         MIDI reaches the first {PROGRAMS} of {most} genres, --genre all of them")
    lines.append(f"device   {device(found)}, periods of {period} frames")
    lines += differences(model, found)
    if not opened.compiled:
        lines.append("         numba is missing: a Python callback only copies, without fades, and drops out under load")
    block_ms = 1e3 * model.block_frames / model.sample_rate
    lines.append(f"block    {model.block_frames} frames, {block_ms:.1f} ms, stepped in {precision}")
    ready = f"{latency['ring']:.0f} ms of sound kept ready"
    lines.append(f"latency  audio {latency['device']:.0f} ms; control to sound {latency['control']:.0f} ms ({parts}); {ready}")
    lines.append(f"MIDI     {port.name} ({port.api_name})" if port else "MIDI     no port found, playing on without")
    return lines


def again(model: Metadata, found: Found) -> list[str]:
    """Lines for the user when a device plays after one was lost."""
    return [f"playing again on {device(found)}", *differences(model, found)]


def device(found: Found) -> str:
    """Name, host, rate and channels."""
    return f"{found.device.name} ({found.device.host}), {found.rate} Hz, {_channels(found.channels)}"


def differences(model: Metadata, found: Found) -> list[str]:
    """What is done to the sound because the device is not as the model."""
    lines = []
    if found.rate != model.sample_rate:
        lines.append(f"         it does not take {model.sample_rate} Hz, the model's rate: resampled live")
    if found.channels != model.channels:
        lines.append(f"         the model has {_channels(model.channels)}, mapped to {found.channels}")
    return lines


def _channels(count: int) -> str:
    return f"{count} channel{'s' * (count > 1)}"
