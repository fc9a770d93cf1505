"""A JACK client that plays MIDI and records what it hears, sample-accurately. Run as a process of its own:

    python instrument.py PLAN.json OUT.npz

PLAN is `{"settle_s": seconds before the first message, "events": [[seconds, [bytes]], ...], "limit_s": give up after,
"listen": whether to record}`. It waits for PortAudio's ports, records from them, waits until somebody listens to its MIDI port,
sends, and ends when PortAudio's ports have gone. OUT holds `audio` [n, 2] and `times` [periods] (JACK frame time of each period
heard), `period` in frames, `sent` (frame time of each message), `gaps` (times the periods do not follow each other) and `xruns`
(reported by the server).
"""

import json
import os
import sys
import time
import traceback

import jack
import numpy as np


def main(plan_file: str, out_file: str) -> None:
    with open(plan_file) as file:
        plan = json.load(file)
    client = jack.Client("instrument", no_start_server=True)
    midi = client.midi_outports.register("keys")
    ears = [client.inports.register(f"in_{number}") for number in (1, 2)]
    heard: list[tuple[int, bytes, bytes]] = []
    waiting: list[tuple[int, bytes]] = []  # (frame time, message), in order
    sent: list[int] = []
    xruns = 0

    @client.set_process_callback
    def process(frames: int) -> None:
        now = client.last_frame_time
        midi.clear_buffer()
        while waiting and waiting[0][0] < now + frames:
            due, message = waiting.pop(0)
            offset = max(due - now, 0)
            midi.write_midi_event(offset, message)
            sent.append(now + offset)
        if plan.get("listen", True) or not heard:
            heard.append((now, bytes(ears[0].get_buffer()), bytes(ears[1].get_buffer())))

    @client.set_xrun_callback
    def xrun(delayed: float) -> None:
        nonlocal xruns
        xruns += 1

    def sources() -> list:
        try:
            return client.get_ports(name_pattern="PortAudio", is_audio=True, is_output=True)
        except jack.JackError:  # one went while they were listed
            return []

    end = time.monotonic() + plan["limit_s"]
    client.activate()
    while len(sources()) < 2 and time.monotonic() < end:
        time.sleep(0.002)
    connected = {port.name: ear for port, ear in zip(sources(), ears, strict=False)}
    for name, ear in connected.items():
        client.connect(name, ear)
    while not midi.connections and plan["events"] and time.monotonic() < end:
        time.sleep(0.005)
    start = client.frame_time + int(plan["settle_s"] * client.samplerate)
    waiting.extend((start + int(seconds * client.samplerate), bytes(message)) for seconds, message in plan["events"])
    while sources() and time.monotonic() < end:
        time.sleep(0.02)
    entries = list(heard)
    times = np.array([entry[0] for entry in entries], np.int64)
    audio = np.stack([np.frombuffer(b"".join(entry[side] for entry in entries), np.float32) for side in (1, 2)], axis=1)
    gaps = int((np.diff(times) != client.blocksize).sum())
    np.savez(out_file, audio=audio, times=times, period=client.blocksize, sent=np.array(sent, np.int64), gaps=gaps, xruns=xruns)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    # Not by way of the client's end: JACK stops its thread wherever it is, even in the callback, which then holds the GIL for ever.
    os._exit(0)
