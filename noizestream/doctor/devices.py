"""What works of sound and MIDI on this machine, line by line. What the C libraries print stays off the screen."""

from collections.abc import Iterator

from noizestream.devices.libjack import no_server_start
from noizestream.doctor.checks import BROKEN, NOTE, Finding
from noizestream.errors import NoizestreamError
from noizestream.system import machine
from noizestream.system.stderr import quiet_stderr

RATES = (44100, 48000, 88200, 96000)


def audio() -> Iterator[Finding]:
    """Yield PortAudio, its host APIs, every device that plays with the rates it takes, and a callback that is not compiled."""
    from noizestream.devices import portaudio
    from noizestream.devices.sounddevice_adapter import library, takes

    try:
        sounddevice = library()
        devices = portaudio.outputs()
    except NoizestreamError as error:
        yield Finding(
            "audio",
            str(error),
            BROKEN,
            "Debian, Ubuntu: sudo apt install libportaudio2; elsewhere: pip install --force-reinstall sounddevice",
        )
        return
    yield Finding("portaudio", sounddevice.get_portaudio_version()[1].split(",")[0])
    for api in sounddevice.query_hostapis():
        yield Finding("host API", f"{api['name']}: {len(api['devices'])} devices")
    for device in devices:
        rates = [rate for rate in RATES if takes(device.index, rate, min(2, device.channels))]
        latency = f"latency {1e3 * device.low_latency_s:.0f} to {1e3 * device.high_latency_s:.0f} ms"
        text = f"{device.index} {device.name} ({device.host}), {device.channels} channels, {latency}"
        default = ", the default" if device.is_default else ""
        if rates:
            yield Finding("device", f"{text}, takes {', '.join(map(str, rates))} Hz{default}")
        else:
            yield Finding(
                "device", f"{text}, does not open now{default}", NOTE, "another program may hold it: close that, or name another -d"
            )
    if not devices:
        yield Finding("device", "none to play on", NOTE, NO_DEVICE)
    if machine.version("numba") is None:
        yield Finding("callback", "in Python: no fades, drops out under load", NOTE, "pip install numba")


NO_DEVICE = (
    "connect one, or start a sound server (JACK: jackd -d alsa); without one: noizestream render, or play --or-render FILE.wav"
)


def midi() -> Iterator[Finding]:
    """Yield the MIDI interfaces that RtMidi was built with, whether they work here, and the ports on them."""
    from noizestream.devices.rtmidi import clients, library, ports

    try:
        rtmidi = library()
    except NoizestreamError as error:
        yield Finding("MIDI", str(error), NOTE, "it plays without MIDI; pip install python-rtmidi")
        return
    no_server_start()
    works = {}
    for api, client in clients():
        with quiet_stderr():
            works[api] = len(client.get_ports())
            client.delete()
    for api in rtmidi.get_compiled_api():
        if api == rtmidi.API_RTMIDI_DUMMY:
            continue
        name = rtmidi.get_api_display_name(api)
        if api in works:
            yield Finding("MIDI API", f"{name}: {works[api]} inputs")
        else:
            yield Finding(
                "MIDI API", f"{name}: does not start", NOTE, MIDI_KNOBS.get(name, "it plays without, or through another API")
            )
    for port in ports():
        yield Finding("MIDI port", f"{port.index} {port.name} ({port.api_name}){', the default' if port.is_default else ''}")


MIDI_KNOBS = {
    "ALSA": "no sequencer: sudo modprobe snd-seq (not in a container); needed only for MIDI through ALSA",
    "Jack": "no JACK server runs; needed only for MIDI through JACK",
}
