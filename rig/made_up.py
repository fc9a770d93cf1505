"""A unit player whose networks and memory are random: for what does not depend on what was learned."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from noizestream.nn.codec import Codec
from noizestream.nn.layer_table import LAYERS
from noizestream.nn.layers import LayerFront
from noizestream.nn.memory import TRIADS, Memory
from noizestream.nn.navigator import Navigator
from noizestream.nn.parts import Parts, Pulse
from noizestream.nn.spectral import SpectralFront
from noizestream.nn.unit_state import LayerRow, LayerState, Moment, layers_of, moment_of, unpack
from noizestream.nn.units import UnitPlayer

TEMPO = 100.0
PIECE = 64
FRONT, CODEC = SpectralFront(16000, 128), Codec(16000, 128, 1)
NAMES = [layer.name for layer in LAYERS]
DRUMS, HARMONY = NAMES.index("drums"), NAMES.index("harmony")
"""BPM of everything."""
SLOT = 18.75
"""Frames of a slot at `TEMPO`, where 125 are a second; no slot begins with a frame, but for every fourth."""
BEAT = 4
"""Slots for which a chord holds."""


def sound(codec: Codec, lengths: list[int], seed: int = 0) -> torch.Tensor:
    """Rows uint8 [T, size] of slots of so many frames: each has levels of its own, about as loud as music, falling with frequency.

    Shapes are random, shares too; of two channels the side is quieter than the middle.
    """
    random = torch.Generator().manual_seed(seed)
    count = sum(lengths)
    rows = torch.randint(0, 256, (count, codec.size), generator=random, dtype=torch.uint8)
    repeats = torch.tensor(lengths)

    def levels(bands: int, db: float) -> torch.Tensor:
        own = torch.randn(len(lengths), bands, generator=random) * 6 + torch.linspace(db, db - 30, bands)
        every = own.repeat_interleave(repeats, 0) + 2 * torch.randn(count, bands, generator=random)
        return torch.round(255 + (every - codec.loudest) / codec.step_db).clamp(1, 255).to(torch.uint8)

    rows[:, codec.at_levels : codec.at_levels + codec.bands] = levels(codec.bands, -12.0)
    if codec.channels == 2:
        rows[:, codec.at_side_levels : codec.at_side_levels + codec.sided] = levels(codec.sided, -24.0)
        pan, width = torch.randint(4, 11, (2, count, codec.bands - codec.sided), generator=random)
        rows[:, codec.at_images :] = (pan * 16 + width // 2).to(torch.uint8)
    return rows


def columns(front: SpectralFront, codec: Codec, layers: LayerFront, rows: torch.Tensor) -> torch.Tensor:
    """Columns [T, columns] of what rows [T, size] sound as, frame by frame as in training: their middles are where a row begins."""
    audio = torch.nn.functional.pad(codec.stream(rows), (2 * codec.block, 0))
    return layers.split(front.analyse(audio))[: len(rows)]


def memory(
    layers: LayerFront,
    codes: int,
    pieces: int,
    slots: int,
    genres: int = 2,
    seed: int = 0,
    per_slot: float = SLOT,
    codec: Codec = CODEC,
) -> Memory:
    """`genres` genres of so many codes and pieces each, a piece of so many slots; frames, codes and harmony are random.

    Every code of a genre has at least one member in each layer. Slots have `per_slot` frames in the mean. All ends are zero.
    """
    random = torch.Generator().manual_seed(seed)
    count = genres * pieces * slots
    number = torch.arange(count)
    begins = torch.arange(slots + 1, dtype=torch.float64) * per_slot
    edges = begins.ceil()
    lengths = edges.diff().repeat(genres * pieces)
    sizes = (layers.count, layers.size, codec.size)
    made = Memory(genres * pieces * int(edges[-1]), count, [codes] * genres, [pieces] * genres, *sizes)
    made.frames.copy_(sound(codec, lengths.int().tolist(), seed))
    made.first.copy_(number // slots * int(edges[-1]) + edges[number % slots])
    made.length.copy_(lengths)
    made.final.copy_((number // slots + 1) * int(edges[-1]) - 1)
    made.duration.fill_(per_slot)
    made.late.copy_((edges - begins)[:-1].repeat(genres * pieces))
    made.piece.copy_(number // slots)
    made.place.copy_(number % slots % 16)
    made.follows.copy_(number % slots != slots - 1)
    for v in range(layers.count):
        for genre in range(genres):
            own = torch.cat([torch.arange(codes), torch.randint(0, codes, (pieces * slots - codes,), generator=random)])
            own = own[torch.randperm(len(own), generator=random)]
            made.code[v, genre * pieces * slots : (genre + 1) * pieces * slots] = own + genre * codes
    made.chord.copy_(torch.randint(0, TRIADS, (count // BEAT + 1,), generator=random).repeat_interleave(BEAT)[:count])
    made.fit.copy_(torch.randint(-40, 40, (count, TRIADS), generator=random))
    made.fit[number, made.chord.long()] = 95
    made.book.copy_(torch.randn(made.book.shape, generator=random))
    made.piece_first.copy_(torch.arange(genres * pieces) * slots)
    made.piece_slots.fill_(slots)
    made.tempo.fill_(TEMPO)
    made.group()
    return made


@contextmanager
def restored(memory: Memory) -> Iterator[Memory]:
    """A memory that may be changed: afterwards it is as it was."""
    tables = {name: table.clone() for name, table in memory.named_buffers()}
    try:
        yield memory
    finally:
        for name, table in memory.named_buffers():
            table.copy_(tables[name])


@torch.no_grad()
def player(
    front: SpectralFront,
    codes: int = 20,
    pieces: int = 2,
    slots: int = 64,
    genres: int = 2,
    hidden: int = 32,
    depth: int = 2,
    seed: int = 4,
    heard: int = 100_000,
) -> UnitPlayer:
    """All its networks have something to say; about as loud as music. All is at `TEMPO`, with a beat.

    Only of the first `heard` frames of a piece the ends of slots are those of what they sound like.
    """
    torch.manual_seed(seed)
    layers, codec = LayerFront(front), Codec(front.sample_rate, front.block, front.channels)
    table = memory(layers, codes, pieces, slots, genres, seed, 15 * front.sample_rate / front.block / TEMPO, codec)
    whole = len(table.frames) // table.pieces
    known = torch.cat([columns(front, codec, layers, rows[:heard]) for rows in table.frames.chunk(table.pieces)])
    layers.fit(known)
    last = (table.first + table.length - 1).long()
    last = last // whole * min(heard, whole) + (last % whole).clamp(max=heard - 1)
    table.ends.copy_(layers.rounded(layers.encode(known))[last])
    navigator = Navigator(table.code_first, table.pieces, layers.count, hidden, depth)
    for parameter in navigator.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    parts = Parts(front, codec, layers, table, navigator)
    return UnitPlayer(parts, Pulse.of(torch.full((genres,), TEMPO), torch.ones(genres))).eval()


def unsure() -> UnitPlayer:
    """Two genres, slots 0 to 191 and 192 to 383, in three pieces each; the network is as unsure as it can be."""
    return player(FRONT, codes=20, pieces=3, slots=PIECE)


def playing(slot: int = -1, piece: int = 0, shift: int = 6) -> LayerState:
    """A layer that has played for 5 blocks, 3 slots of them in a row, with a chance of a half to jump."""
    return LayerState(LayerRow(slot=slot, shift=shift, since=5, run=3, chance=0.5, new=0, piece=piece))


class Performance:
    """Steps a player (or its scripted form) with noise of one seed; controls and genre may be changed on the way."""

    def __init__(self, made: UnitPlayer, module=None, seed: int = 0, **controls: float):
        self.player, self.module = made, made if module is None else module
        self.names = [str(control["name"]) for control in made.controls]
        self.controls = torch.tensor([float(control["default"]) for control in made.controls])
        self.genre = torch.eye(made.genres)[0]
        self.random = torch.Generator().manual_seed(seed)
        self.state = self.module.initial_state()
        self.set(**controls)

    def set(self, genre=None, **controls: float) -> "Performance":
        """Another genre (a number, or weights) and other controls from here on."""
        if genre is not None:
            self.genre = torch.eye(self.player.genres)[genre] if isinstance(genre, int) else torch.tensor(genre)
        for name, value in controls.items():
            self.controls[self.names.index(name)] = value
        return self

    @torch.inference_mode()
    def step(self) -> torch.Tensor:
        """The next block [channels, block]."""
        noise = torch.rand(self.player.noise_size, generator=self.random).clamp(1e-6, 1 - 1e-6)
        block, self.state = self.module.step(self.genre.clone(), self.controls.clone(), noise, self.state)
        return block

    def play(self, blocks: int) -> torch.Tensor:
        """The next `blocks` blocks as audio [channels, n]."""
        return torch.cat([self.step() for _ in range(blocks)], 1)

    def slots(self, count: int) -> list[list[int]]:
        """What the layers play in the next `count` slots: places at the end of each, [count][V]."""
        rows: list[list[int]] = []
        while len(rows) <= count:
            before, last = self.slot, self.places
            self.step()
            if self.slot != before and before >= 0:
                rows.append(last)
            if len(rows) == count:
                break
        return rows

    @property
    def layers(self) -> list[LayerState]:
        """What is kept of each layer."""
        return layers_of(unpack(self.state).layers)

    @property
    def moment(self) -> Moment:
        """Where the performance is."""
        return moment_of(unpack(self.state).moment)

    @property
    def places(self) -> list[int]:
        """What each layer plays."""
        return self.player.places(self.state).tolist()

    @property
    def slot(self) -> int:
        """The number of the slot that sounds."""
        return self.moment.slot
