"""A JACK client that listens and plays keys on command, and outlives its server. Run as a process of its own: python ear.py [NAME]

It connects itself to whatever PortAudio port appears. Commands are lines on stdin, each answered by one line of JSON on stdout:

    hear SECONDS      {"peak", "hz", "rate", "channels"} of what is heard from now on
    midi BYTE ...     sends a message
    unplug / plug     takes its MIDI port away and puts it back
"""

import contextlib
import json
import sys
import threading
import time

import jack
import numpy as np


class Ear:
    """One connection to a JACK server; makes another when that has gone."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = threading.Lock()
        self.heard: list[np.ndarray] = []
        self.waiting: list[bytes] = []
        self.keys = None
        self.client = None
        self.channels = 0
        threading.Thread(target=self.keep, daemon=True).start()

    def keep(self) -> None:
        """Stay connected, to a server and to the ports that sound."""
        while True:
            with contextlib.suppress(jack.JackError, OSError, AttributeError):  # the server, or a port, goes at any moment
                if self.client is None:
                    self.open()
                client, ears = self.client, self.ears
                for port in client.get_ports(name_pattern="PortAudio", is_audio=True, is_output=True):
                    ear = ears[min(int(port.name.rsplit("_", 1)[1]), 1)]
                    if not ear.is_connected_to(port):
                        client.connect(port, ear)
                self.channels = sum(ear.number_of_connections for ear in ears)
            time.sleep(0.05)

    def open(self) -> None:
        client = jack.Client(self.name, no_start_server=True)
        self.ears = [client.inports.register(f"in_{number}") for number in (1, 2)]
        self.keys = client.midi_outports.register("keys")

        @client.set_process_callback
        def process(frames: int) -> None:
            keys = self.keys
            if keys is not None:
                keys.clear_buffer()
                if self.waiting:
                    keys.write_midi_event(0, self.waiting.pop(0))
            self.heard.append(np.frombuffer(bytes(self.ears[0].get_buffer()), np.float32))

        @client.set_shutdown_callback
        def shutdown(status: object, reason: str) -> None:
            self.client = None

        client.activate()
        self.client = client

    def hear(self, seconds: float) -> dict:
        start, end = len(self.heard), time.monotonic() + 20 * seconds + 1
        client = self.client
        rate = client.samplerate if client else 48000
        while sum(len(part) for part in self.heard[start:]) < seconds * rate and time.monotonic() < end:
            time.sleep(0.01)
        wave = np.concatenate([np.zeros(256), *self.heard[start:]])
        spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
        hz = float(spectrum.argmax()) * rate / len(wave)
        return {"peak": float(np.abs(wave).max()), "hz": hz, "rate": rate, "channels": self.channels}

    def unplug(self) -> dict:
        keys, self.keys = self.keys, None
        periods, end = len(self.heard), time.monotonic() + 1
        while len(self.heard) < periods + 2 and time.monotonic() < end:  # until the callback has let go of it
            time.sleep(0.01)
        keys.unregister()
        return {}

    def plug(self) -> dict:
        self.keys = self.client.midi_outports.register("keys")
        return {}


def main() -> None:
    ear = Ear(sys.argv[1] if len(sys.argv) > 1 else "ear")
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "hear":
            answer = ear.hear(float(rest[0]))
        elif word == "midi":
            ear.waiting.append(bytes(int(byte) for byte in rest))
            answer = {}
        else:
            answer = getattr(ear, word)()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
