"""What `play` says before it sounds: which models, through what, and how late."""

from noizestream.session.status import SessionStatus

PROGRAMS = 128
"""MIDI has so many program changes."""


def announcement(status: SessionStatus) -> list[str]:
    """Lines for the user at the start."""
    model, device, latency, port = status.metadata, status.device, status.latency, status.midi_port
    assert device is not None and latency is not None
    parts = f"midi {latency.midi:.0f} + change {latency.change:.0f} + device {latency.device:.0f} + model {latency.model:.0f}"
    lines = [f"model    {each.name}: {', '.join(each.genres)}" for each in status.models]
    if (most := max(len(each.genres) for each in status.models)) > PROGRAMS:
        lines.append(f"         MIDI reaches the first {PROGRAMS} of {most} genres, --genre all of them")
    lines.append(f"device   {device_in_words(status)}, periods of {device.period_frames} frames")
    lines += differences(status)
    if not device.compiled:
        lines.append("         numba is missing: a Python callback only copies, without fades, and drops out under load")
    block_ms = 1e3 * model.block_frames / model.sample_rate
    lines.append(f"block    {model.block_frames} frames, {block_ms:.1f} ms, stepped in {status.precision}")
    ready = f"{latency.ring:.0f} ms of sound kept ready"
    lines.append(f"latency  audio {latency.device:.0f} ms; control to sound {latency.control:.0f} ms ({parts}); {ready}")
    lines.append(f"MIDI     {port.name} ({port.api_name})" if port else "MIDI     no port found, playing on without")
    if status.osc is not None:
        lines.append(f"OSC      {status.osc[0]}:{status.osc[1]}")
    return lines


def again(status: SessionStatus) -> list[str]:
    """Lines for the user when a device plays after one was lost."""
    return [f"playing again on {device_in_words(status)}", *differences(status)]


def device_in_words(status: SessionStatus) -> str:
    """Name, host, rate and channels of the audio device."""
    device = status.device
    return f"{device.name} ({device.host}), {device.rate} Hz, {_channels(device.channels)}" if device else "no device"


def differences(status: SessionStatus) -> list[str]:
    """What is done to the sound because the device is not as the model."""
    lines, model, device = [], status.metadata, status.device
    if device is not None and device.rate != model.sample_rate:
        lines.append(f"         it does not take {model.sample_rate} Hz, the model's rate: resampled live")
    if device is not None and device.channels != model.channels:
        lines.append(f"         the model has {_channels(model.channels)}, mapped to {device.channels}")
    return lines


def _channels(count: int) -> str:
    return f"{count} channel{'s' * (count > 1)}"
