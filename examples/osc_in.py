"""OSC to a running `play`, from another program: a slow swing of the temperature, and its state as it comes back.

    noizestream play mine.ts --osc 9000
    python examples/osc_in.py --port 9000

It needs python-osc only, not noizestream, and may run on another machine: `play --osc 0.0.0.0:9000` listens to the network.
"""

import argparse
import math
import time

from pythonosc.osc_packet import OscPacket
from pythonosc.udp_client import SimpleUDPClient

PREFIX = "/noizestream/"
SWING_S, STEP_S = 10.0, 0.05


def heard(client: SimpleUDPClient) -> dict[str, object]:
    """All that has come back, by the last part of its address: bundles, sent ten times a second to whoever sends anything."""
    values = {}
    while packet := client.receive(timeout=0.0):
        for _, message in OscPacket(packet).messages:
            values[message.address.removeprefix(PREFIX)] = message.params[0]
    return values


def swing(client: SimpleUDPClient, seconds: float) -> bool:
    """Swing the temperature for so long, and print what `play` makes of it; return whether anything came back."""
    began, answered = time.monotonic(), False
    while (now := time.monotonic() - began) < seconds:
        client.send_message(PREFIX + "temperature", 1.0 + 0.8 * math.sin(2 * math.pi * now / SWING_S))
        if state := heard(client):
            answered = True
            print(f"{now:5.1f} s  {state.get('genre')}, temperature {state.get('temperature', 0.0):.2f}")
        time.sleep(STEP_S)
    client.send_message(PREFIX + "unsubscribe", [])
    return answered


def main() -> None:
    """Read the command line, and send."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--seconds", type=float, default=20.0)
    asked = parser.parse_args()
    if not swing(SimpleUDPClient(asked.host, asked.port), asked.seconds):
        parser.exit(1, f"nothing came back: start noizestream play --osc {asked.port} first\n")


if __name__ == "__main__":
    main()
