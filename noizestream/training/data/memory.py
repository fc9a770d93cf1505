"""Building the memory: sections of the music as rows of the codec, their slots, and the codes of these."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from noizestream.errors import NoizestreamError
from noizestream.nn.layers import LayerFront, from_bytes
from noizestream.nn.memory import FIT, Memory
from noizestream.system.files import whole, writing
from noizestream.training.config import Config
from noizestream.training.data.codes import assign, cluster, features
from noizestream.training.data.dataset import Piece, Prepared
from noizestream.training.data.memory_shares import counts, sections, shares_of
from noizestream.training.data.slots import BAR, FEWEST, FEWEST_HELD, Slots, slots_of

FITTED_FRAMES, STRETCH = 60_000, 400
"""The components are fitted to so many frames, in stretches of so many."""
AT_ONCE = 4000
"""Frames that are read at once."""
STRUCK_FRAMES = 6000
"""Frames of a piece that tell how much of it is drums."""


@dataclass(frozen=True)
class Section:
    """Slots of a piece that are kept: `count` of them from the slot `begin` on, of its `slots`, `latents` and `code`."""

    piece: int
    slots: Slots
    latents: np.ndarray
    code: np.ndarray
    begin: int
    count: int

    @property
    def edges(self) -> np.ndarray:
        """First frames of its slots and the end [count + 1], in frames of the piece."""
        return self.slots.edges[self.begin : self.begin + self.count + 1]


Read = tuple[Piece, Slots, np.ndarray]
"""A piece, its slots, and the int8 latents [frames of its slots, latents] of what sounds in them."""


@dataclass
class Coded:
    """One piece as the sequence model reads it: `code` [S, V] global numbers, `number` [S] of its slots, `piece` its number."""

    genre: int
    piece: int
    number: np.ndarray
    code: np.ndarray
    beaten: bool


@dataclass
class Built:
    """The memory of all training music and the codes of what is learned from and of what is held out."""

    memory: Memory
    training: list[Coded]
    validation: list[Coded]
    kept: float  # share of the layers' variance in their components


def build(
    layers: LayerFront, row: int, prepared: Prepared, config: Config, progress: Callable[[int, int], None], fit: bool = True
) -> Built:
    """Build the memory of rows of `row` bytes, after fitting `layers` if `fit`; `progress(done, total)` counts pieces.

    NoizestreamError if a genre has nothing to play.
    """
    pieces = sorted(prepared.of("training"), key=lambda piece: piece.genre)
    held_out = prepared.of("validation")
    kept = float("nan")
    if fit:
        kept = layers.fit(_sample(layers, prepared, pieces))
    total, done = len(pieces) + len(held_out), 0
    read: list[Read] = []
    read_held: list[Read] = []
    for rows, target, fewest in ((pieces, read, FEWEST), (held_out, read_held, FEWEST_HELD)):
        for piece in rows:
            slots = slots_of(prepared, piece, layers.tones, fewest)
            if slots is not None:
                target.append((piece, slots, _latents(layers, prepared, piece, slots)))
            done += 1
            progress(done, total)
    missing = [genre for g, genre in enumerate(prepared.genres) if not any(piece.genre == g for piece, _, _ in read)]
    if missing:
        raise NoizestreamError(f"{missing[0]}: its tracks are too short to learn from, add longer ones")
    found = [(piece.genre, features(layers, latents, slots)) for piece, slots, latents in read]
    codes, books = cluster(layers, found, len(prepared.genres), config)
    held_codes = [assign(layers, books[piece.genre], features(layers, latents, slots)) for piece, slots, latents in read_held]
    first = np.concatenate([[0], np.cumsum([len(book[0]) for book in books])]).astype(int)
    training = [_coded(p, number, s, c + first[p.genre]) for number, ((p, s, _), c) in enumerate(zip(read, codes, strict=True))]
    validation = [_coded(p, len(read), s, c + first[p.genre]) for (p, s, _), c in zip(read_held, held_codes, strict=True)]
    return Built(_memory(layers, row, prepared, read, training, books, config), training, validation, kept)


def save(built: Built, layers: LayerFront, folder: Path) -> None:
    """Write what `build` made, whole or not at all: a resumed training reads it with `load`."""
    memory = built.memory
    sizes = {"codes": np.diff(memory.code_first).tolist(), "pieces": np.diff(memory.piece_from).tolist()}
    coded = {}
    for name, pieces in (("training", built.training), ("validation", built.validation)):
        coded[name] = [vars(p) | {"number": torch.from_numpy(p.number), "code": torch.from_numpy(p.code)} for p in pieces]
    values = {"sizes": sizes, "memory": memory.state_dict(), "layers": layers.state_dict(), "kept": built.kept}
    with writing(folder / "memory.pt"), whole(folder / "memory.pt") as partial, partial.open("wb") as file:
        torch.save(values | coded, file)


def load(layers: LayerFront, folder: Path) -> Built | None:
    """What `save` wrote, or None if there is nothing whole."""
    try:
        values = torch.load(folder / "memory.pt", weights_only=True)
        layers.load_state_dict(values["layers"])
        state = values["memory"]
        frames, row = state["frames"].shape
        memory = Memory(frames, len(state["first"]), **values["sizes"], layers=layers.count, latents=layers.size, row=row)
        memory.load_state_dict(state)
    except Exception:  # whatever a half-written or older file raises: it is made again
        return None
    coded = {}
    for name in ("training", "validation"):
        coded[name] = [Coded(**(row | {"number": row["number"].numpy(), "code": row["code"].numpy()})) for row in values[name]]
    return Built(memory, coded["training"], coded["validation"], values["kept"])


def _coded(piece: Piece, number: int, slots: Slots, code: np.ndarray) -> Coded:
    return Coded(piece.genre, number, slots.number, code, piece.confidence >= 0.5)


def _bands_and_struck(prepared: Prepared, piece: Piece, first: int, last: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Log bands [T, bands] of the frames from `first` to `last` of `piece`, and which share [T, tones] of them is percussive."""
    bands = torch.from_numpy(np.asarray(prepared.bands_of(piece)[first:last], np.float32))
    return bands, from_bytes(torch.from_numpy(np.array(prepared.struck_of(piece)[first:last])))


@torch.no_grad()
def _sample(layers: LayerFront, prepared: Prepared, pieces: list[Piece]) -> torch.Tensor:
    """Columns of stretches from all over the music, every genre alike."""
    per_genre = FITTED_FRAMES // len(prepared.genres)
    rows = []
    for genre in range(len(prepared.genres)):
        own = [piece for piece in pieces if piece.genre == genre]
        frames = sum(piece.frames for piece in own)
        for piece in own:
            count = max(1, round(min(1.0, per_genre / frames) * piece.frames / STRETCH))
            for start in np.linspace(0, max(0, piece.frames - STRETCH), count).astype(int):
                rows.append(layers.split_by(*_bands_and_struck(prepared, piece, start, start + STRETCH)))
    return torch.cat(rows)


@torch.no_grad()
def _latents(layers: LayerFront, prepared: Prepared, piece: Piece, slots: Slots) -> np.ndarray:
    """What sounds in the slots of `piece`: int8 [frames of its slots, latents]."""
    rows = []
    for start in range(int(slots.first[0]), slots.last, AT_ONCE):
        columns = layers.split_by(*_bands_and_struck(prepared, piece, start, min(slots.last, start + AT_ONCE)))
        rows.append(layers.rounded(layers.encode(columns)))
    return torch.cat(rows).numpy()


@torch.no_grad()
def _struck(layers: LayerFront, prepared: Prepared, piece: Piece) -> float:
    """Which share of the power in the middle of `piece` is percussive."""
    start = max(0, (piece.frames - STRUCK_FRAMES) // 2)
    return layers.struck(*_bands_and_struck(prepared, piece, start, start + STRUCK_FRAMES))


def _memory(
    layers: LayerFront,
    row: int,
    prepared: Prepared,
    read: list[Read],
    training: list[Coded],
    books: list[list[np.ndarray]],
    config: Config,
) -> Memory:
    """The tables, with as much of every piece as the file may hold: sections from all over it."""
    kept = _kept(read, len(books), config.memory_mb * 1e6, row, layers.size)
    frames = sum(int(one.edges[a + n] - one.edges[a]) for (_, one, _), own in zip(read, kept, strict=True) for a, n in own)
    codes = [len(book[0]) for book in books]
    pieces = [sum(piece.genre == g for piece, _, _ in read) for g in range(len(books))]
    memory = Memory(frames, sum(n for own in kept for _, n in own), codes, pieces, layers.count, layers.size, row)
    frame = slot = 0
    for number, ((piece, slots, latents), own, coded) in enumerate(zip(read, kept, training, strict=True)):
        memory.piece_first[number], memory.piece_slots[number] = slot, sum(n for _, n in own)
        memory.tempo[number], memory.struck[number] = slots.tempo, _struck(layers, prepared, piece)
        for begin, count in own:
            section = Section(number, slots, latents, coded.code, begin, count)
            sound = prepared.sound_of(piece)[section.edges[0] : section.edges[-1], :row]
            memory.frames[frame : frame + len(sound)] = torch.from_numpy(np.array(sound))
            _fill(memory, section, slot, frame)
            frame, slot = frame + len(sound), slot + count
    _fill_book(memory, layers, books)
    memory.group()
    return memory


def _kept(read: list[Read], genres: int, most: float, row: int, latents: int) -> list[list[tuple[int, int]]]:
    """The sections of every piece for which there is room in `most` bytes, `row` a frame and `latents` a slot."""
    frames = [sum(len(z) for piece, _, z in read if piece.genre == g) for g in range(genres)]
    slots_to_frames = sum(len(slots) for _, slots, _ in read) / sum(frames)
    shares = shares_of(frames, most / (row + latents * slots_to_frames))
    wanted = counts([(piece.genre, len(slots)) for piece, slots, _ in read], shares)
    return [sections(len(slots), count, int(-slots.number[0] % BAR)) for (_, slots, _), count in zip(read, wanted, strict=True)]


def _fill(memory: Memory, section: Section, slot: int, frame: int) -> None:
    """The slots of the memory from `slot` on are those of `section`, whose sound begins at `frame`."""
    own, taken = slice(slot, slot + section.count), slice(section.begin, section.begin + section.count)
    slots, edges, late = section.slots, section.edges, section.slots.late[taken].copy()
    late[0] = 0.0  # the frame before the first one is another section's
    begins = edges[:-1] - late
    memory.first[own] = torch.from_numpy(frame + edges[:-1] - edges[0]).int()
    memory.length[own] = torch.from_numpy(np.diff(edges)).int()
    memory.final[own] = frame + int(edges[-1] - edges[0]) - 1
    memory.late[own] = torch.from_numpy(late).float()
    memory.duration[own] = torch.from_numpy(np.append(np.diff(begins), edges[-1] - begins[-1])).float()
    memory.ends[own] = torch.from_numpy(section.latents[edges[1:] - 1 - slots.first[0]])
    memory.piece[own] = section.piece
    memory.place[own] = torch.from_numpy(slots.number[taken] % BAR).int()
    memory.follows[own.start : own.stop - 1] = 1
    memory.code[:, own] = torch.from_numpy(section.code[taken].T.copy()).int()
    memory.fit[own] = torch.from_numpy(np.round(slots.fit[taken] * FIT)).clamp(-127, 127).to(torch.int8)
    memory.chord[own] = torch.from_numpy(slots.chord[taken]).to(torch.int8)


def _fill_book(memory: Memory, layers: LayerFront, books: list[list[np.ndarray]]) -> None:
    """What the codes of each genre and layer are like: `books` are [codes, 3, latents of the layer]."""
    for g, book in enumerate(books):
        at = slice(memory.code_first[g], memory.code_first[g + 1])
        for v, centres in enumerate(book):
            for third in range(3):
                start = third * layers.size + layers.first_latent[v]
                memory.book[at, start : start + layers.latents[v]] = torch.from_numpy(centres[:, third]).half()
