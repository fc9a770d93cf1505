"""OSC packets, and the process that reads them, over UDP on this machine."""

import random
import socket
import struct
import time
from collections.abc import Iterator

import pytest

pytest.importorskip("pythonosc", reason="python-osc is not installed (pip install python-osc)")

from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from noizestream.devices import osc, osc_process
from noizestream.devices.osc import BrokenPacket, OscMessage, messages, packets
from noizestream.devices.osc_process import OscProcess
from noizestream.devices.osc_server import AT_ONCE, PER_SECOND, Pace
from noizestream.errors import NoizestreamError
from rig.waiting import wait_for

HERE = ("127.0.0.1", 5)


def message(address: str, *arguments: object):
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return builder.build()


def bundle(*contents) -> bytes:
    builder = OscBundleBuilder(IMMEDIATELY)
    for content in contents:
        builder.add_content(content)
    return builder.build()


def test_messages_and_nested_bundles_are_read():
    sent = message("/a", 1, 0.5, "Jazz", True)
    inner = bundle(message("/b"), message("/c", 2))
    assert messages(sent.dgram, HERE) == [OscMessage("/a", (1, 0.5, "Jazz", True), HERE)]
    assert [each.address for each in messages(bundle(sent, inner).dgram, HERE)] == ["/a", "/b", "/c"]
    assert messages(bundle().dgram, HERE) == []


def test_what_is_packed_is_read_again_in_bundles_that_fit_a_network():
    values = [(f"/noizestream/{number}", number / 4) for number in range(200)] + [("/noizestream/genre", "Jazz")]
    packed = packets(values)
    assert [(each.address, each.arguments[0]) for packet in packed for each in messages(packet, HERE)] == values
    assert 1 < len(packed) < 20 and max(map(len, packed)) <= osc.SENT_BYTES
    assert packets([]) == [] and packets([("/a", "x" * 5000)]) == [message("/a", "x" * 5000).dgram]


BUNDLE = b"#bundle\0" + b"\0" * 7 + b"\1"


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\0",
        b"hello",
        b"/a",
        b"/a\0\0,i\0\0\0",
        b"/\xff\0\0",
        b"#bundle\0",
        BUNDLE + struct.pack(">i", -4),
        BUNDLE + struct.pack(">i", 0),
        BUNDLE + struct.pack(">i", 400) + b"/a\0\0",
        BUNDLE + b"\0",
        bundle(*[message("/a")] * (osc.MOST_MESSAGES + 1)).dgram,
    ],
)
def test_broken_packets_are_said_so(packet):
    with pytest.raises(BrokenPacket):
        messages(packet, HERE)


def test_bundles_within_bundles_end_somewhere():
    packet = message("/a").dgram
    for _ in range(200):
        packet = BUNDLE + struct.pack(">i", len(packet)) + packet
    with pytest.raises(BrokenPacket):
        messages(packet, HERE)


def test_no_bytes_whatever_do_anything_but_that():
    chance, whole = random.Random(1), bundle(message("/noizestream/genre", "Jazz"), message("/b", 1, 0.5, b"1234")).dgram
    for _ in range(20000):
        packet = bytearray(whole if chance.random() < 0.7 else chance.randbytes(chance.randrange(80)))
        for _ in range(chance.randrange(4)):
            if packet:
                packet[chance.randrange(len(packet))] = chance.randrange(256)
        try:
            assert all(isinstance(each, OscMessage) for each in messages(bytes(packet), HERE))
        except BrokenPacket:
            continue


def test_the_pace_lets_a_burst_through_and_then_so_many_a_second():
    pace, now = Pace(100, 20), 0.0
    assert [pace.spend(1, now) for _ in range(20)] == [0.0] * 20
    for _ in range(1000):
        now += pace.spend(1, now)
    assert now == pytest.approx(10)
    assert pace.spend(20, now + 100) == 0 and pace.spend(1, now + 100) == pytest.approx(0.01)


class Client:
    """A program with a socket of its own that sends to the process and hears what comes."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(60)
        self.place = self.socket.getsockname()

    def hear(self) -> list[tuple[str, object]]:
        return [(each.address, each.arguments[0]) for each in messages(self.socket.recv(65536), HERE)]


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client()
    yield made
    made.socket.close()


def test_messages_arrive_answers_come_back_and_broken_packets_are_counted(client):
    heard: list[OscMessage] = []
    with OscProcess(("127.0.0.1", 0), "osc", heard.append, lambda: made.send([client.place], [("/state", 0.5)])) as made:
        host, port = made.wait()
        assert host == "127.0.0.1" and port > 0
        for packet in (b"nonsense", message("/a", 1).dgram, b"", BUNDLE + struct.pack(">i", -4), bundle(message("/b", "x")).dgram):
            client.socket.sendto(packet, (host, port))
        wait_for(lambda: len(heard) == 2 and made.broken == 3, "two messages and three broken packets")
        assert heard == [OscMessage("/a", (1,), client.place), OscMessage("/b", ("x",), client.place)]
        assert client.hear() == client.hear() == [("/state", 0.5)]
    assert (made.errors, made.restarts) == (0, 0)
    made.close()


def test_what_a_message_raises_is_counted_and_said_once(client):
    heard, said = [], []

    def fail(each: OscMessage) -> None:
        heard.append(each)
        raise ValueError("of the handler")

    with OscProcess(("127.0.0.1", 0), "osc", fail, say=said.append) as made:
        place = made.wait()
        for _ in range(3):
            client.socket.sendto(message("/a", 1).dgram, place)
        wait_for(lambda: len(heard) == 3 and made.errors == 3, "three messages")
        assert len(said) == 1 and "ValueError: of the handler" in said[0]


def test_a_flood_is_read_at_its_pace(client):
    heard: list[OscMessage] = []
    with OscProcess(("127.0.0.1", 0), "osc", heard.append) as made:
        place, packet = made.wait(), message("/a", 1).dgram
        began = time.monotonic()
        while time.monotonic() < began + 0.5:
            for _ in range(50):
                client.socket.sendto(packet, place)
        spent = time.monotonic() - began
        wait_for(lambda: heard, "a message")
        assert len(heard) <= AT_ONCE + PER_SECOND * (time.monotonic() - began) + 50, spent


def test_a_port_that_is_taken_is_an_error_in_one_line(client):
    with OscProcess(client.place, f"--osc {client.place[1]}", lambda each: None) as made:
        with pytest.raises(NoizestreamError, match=rf"^--osc {client.place[1]}: cannot be listened to \(.*give another port"):
            made.wait()
        made.tick()
    assert made.restarts == 0


def test_a_process_that_dies_is_replaced_at_the_same_port(client, monkeypatch):
    monkeypatch.setattr(osc_process, "AGAIN_S", 0.0)
    heard, said = [], []
    with OscProcess(("127.0.0.1", 0), "osc", heard.append, say=said.append) as made:
        place = made.wait()
        made._child.kill()
        wait_for(lambda: made.tick() or made.restarts == 1, "another process")

        def arrives() -> bool:
            client.socket.sendto(message("/a", 1).dgram, place)
            return bool(heard)

        wait_for(arrives, "a message at the same port", every_s=0.05)
        assert len(said) == 1 and "ended unexpectedly" in said[0] and made.place == place


def test_one_that_was_never_opened_is_closed():
    OscProcess(("127.0.0.1", 0), "osc", lambda each: None).close()
