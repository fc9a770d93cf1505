"""A unit player whose networks and memory are random: for what does not depend on what was learned."""

import torch

from noizestream.nn.layers import LAYERS, LayerFront
from noizestream.nn.memory import TRIADS, Memory
from noizestream.nn.navigator import Navigator
from noizestream.nn.spectral import SpectralFront
from noizestream.nn.unit_state import LayerState, unpack
from noizestream.nn.units import UnitPlayer

TEMPO = 100.0
PIECE = 64
FRONT = SpectralFront(16000, 128)
NAMES = [layer.name for layer in LAYERS]
DRUMS, HARMONY = NAMES.index("drums"), NAMES.index("harmony")
"""BPM of everything."""
SLOT = 18.75
"""Frames of a slot at `TEMPO`, where 125 are a second; no slot begins with a frame, but for every fourth."""
BEAT = 4
"""Slots for which a chord holds."""


def memory(
    layers: LayerFront, codes: int, pieces: int, slots: int, genres: int = 2, seed: int = 0, per_slot: float = SLOT
) -> Memory:
    """`genres` genres of so many codes and pieces each, a piece of so many slots; frames, codes and harmony are random.

    Every code of a genre has at least one member in each layer. Slots have `per_slot` frames in the mean.
    """
    random = torch.Generator().manual_seed(seed)
    count = genres * pieces * slots
    number = torch.arange(count)
    begins = torch.arange(slots + 1, dtype=torch.float64) * per_slot
    edges = begins.ceil()
    made = Memory(genres * pieces * int(edges[-1]), count, [codes] * genres, [pieces] * genres, layers.count, layers.size)
    made.frames.copy_(torch.randint(-60, 61, made.frames.shape, generator=random))
    made.first.copy_(number // slots * int(edges[-1]) + edges[number % slots])
    made.length.copy_(edges.diff().repeat(genres * pieces))
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
) -> UnitPlayer:
    """All its networks have something to say; about as loud as music. All is at `TEMPO`, with a beat."""
    torch.manual_seed(seed)
    layers = LayerFront(front)
    layers.fit(layers.split(torch.randn(600, front.bands) * 1.5 - 5))
    table = memory(layers, codes, pieces, slots, genres, seed, 15 * front.sample_rate / front.block / TEMPO)
    navigator = Navigator(table.code_first, table.pieces, layers.count, hidden, depth)
    for parameter in navigator.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    tempos, beaten, hiss = torch.full((genres,), TEMPO), torch.ones(genres), torch.linspace(0.3, 0.7, genres)
    return UnitPlayer(front, layers, table, navigator, tempos, beaten, hiss).eval()


def unsure() -> UnitPlayer:
    """Two genres, slots 0 to 191 and 192 to 383, in three pieces each; the network is as unsure as it can be."""
    return player(FRONT, codes=20, pieces=3, slots=PIECE)


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
        return [LayerState(row) for row in unpack(self.state, self.player.cells).layers.tolist()]

    @property
    def places(self) -> list[int]:
        """What each layer plays."""
        return self.player.places(self.state).tolist()

    @property
    def slot(self) -> int:
        """The number of the slot that sounds."""
        return int(unpack(self.state, self.player.cells).moment[1])
