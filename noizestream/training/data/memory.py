"""Building the memory: the music's frames as rows of the codec, its slots, their codes by k-means of the layers' latents."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from noizestream.errors import NoizestreamError
from noizestream.files import whole
from noizestream.nn.layers import LayerFront
from noizestream.nn.memory import FIT, Memory
from noizestream.training.config import Config
from noizestream.training.data.shares import counts, sections, shares_of
from noizestream.training.data.slots import BAR, FEWEST, FEWEST_HELD, Slots, slots_of
from noizestream.training.prepared import Piece, Prepared

FITTED_FRAMES = 60_000
STRETCH = 400
"""The components are fitted to so many frames, in stretches of so many: what is percussive shows only in context."""
OVERLAP = 24
"""Frames that a stretch has beside it for that."""
CLUSTERED = 12_000
"""Slots of a genre that the clusters are found with; the others are told which is the nearest."""
ROUNDS = 12
FRAMES_HEARD = 6000
"""Frames of a piece that tell how much of it is drums."""
FEWEST_CODES, SLOTS_PER_CODE = 12, 10


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
    read: list[tuple[Piece, Slots, np.ndarray]] = []
    read_held: list[tuple[Piece, Slots, np.ndarray]] = []
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
    codes, books = _cluster(layers, read, len(prepared.genres), config)
    held_codes = [_assign(layers, books[p.genre], _features(layers, z, s)) for p, s, z in read_held]
    first = np.concatenate([[0], np.cumsum([len(next(iter(book))) for book in books])]).astype(int)
    training = [_coded(p, number, s, c + first[p.genre]) for number, ((p, s, _), c) in enumerate(zip(read, codes, strict=True))]
    validation = [_coded(p, len(read), s, c + first[p.genre]) for (p, s, _), c in zip(read_held, held_codes, strict=True)]
    return Built(_memory(layers, row, prepared, read, training, books, config), training, validation, kept)


def save(built: Built, layers: LayerFront, folder: Path) -> None:
    """Write what `build` made, whole or not at all: a resumed training reads it with `load`."""
    memory = built.memory
    sizes = {"codes": np.diff(memory.code_first).tolist(), "pieces": np.diff(memory.piece_from).tolist()}
    coded = {}
    for name in ("training", "validation"):
        pieces = getattr(built, name)
        coded[name] = [vars(p) | {"number": torch.from_numpy(p.number), "code": torch.from_numpy(p.code)} for p in pieces]
    values = {"sizes": sizes, "memory": memory.state_dict(), "layers": layers.state_dict(), "kept": built.kept}
    with whole(folder / "memory.pt") as partial:
        torch.save(values | coded, partial)


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
            for start in np.linspace(0, max(0, piece.frames - STRETCH - 2 * OVERLAP), count).astype(int):
                bands = np.asarray(prepared.bands_of(piece)[start : start + STRETCH + 2 * OVERLAP], np.float32)
                rows.append(layers.split(torch.from_numpy(bands))[OVERLAP:-OVERLAP])
    return torch.cat(rows)


@torch.no_grad()
def _latents(layers: LayerFront, prepared: Prepared, piece: Piece, slots: Slots) -> np.ndarray:
    """int8 [frames of its slots, latents]."""
    first, last = max(0, int(slots.first[0]) - OVERLAP), min(piece.frames, slots.last + OVERLAP)
    rows = []
    for start in range(first, last, 4000):
        before = start - max(first, start - OVERLAP)
        bands = np.asarray(prepared.bands_of(piece)[start - before : min(last, start + 4000 + OVERLAP)], np.float32)
        columns = layers.split(torch.from_numpy(bands))[before : before + min(4000, last - start)]
        rows.append(layers.rounded(layers.encode(columns)))
    latents = torch.cat(rows).numpy()
    return latents[slots.first[0] - first : slots.last - first]


def _features(layers: LayerFront, latents: np.ndarray, slots: Slots) -> np.ndarray:
    """Means of the thirds of every slot: float32 [S, 3, latents]."""
    z = latents.astype(np.float32) * layers.step.numpy()
    sums = np.concatenate([np.zeros((1, z.shape[1])), np.cumsum(z, axis=0, dtype=np.float64)])
    begin, length = slots.first - slots.first[0], np.diff(slots.edges)
    edges = begin[:, None] + np.floor(np.linspace(0, 1, 4)[None] * length[:, None]).astype(int)
    edges[:, :3] = np.minimum(edges[:, :3], len(z) - 1)
    last = np.maximum(edges[:, 1:], edges[:, :-1] + 1)
    return ((sums[last] - sums[edges[:, :-1]]) / (last - edges[:, :-1])[..., None]).astype(np.float32)


@torch.no_grad()
def _struck(layers: LayerFront, prepared: Prepared, piece: Piece) -> float:
    """Which share of the power in the middle of `piece` is percussive."""
    start = max(0, (piece.frames - FRAMES_HEARD) // 2)
    bands = np.asarray(prepared.bands_of(piece)[start : start + FRAMES_HEARD], np.float32)
    return layers.struck(torch.from_numpy(bands))


def _own(layers: LayerFront, v: int) -> slice:
    return slice(layers.first_latent[v], layers.first_latent[v] + layers.latents[v])


def _cluster(
    layers: LayerFront, read: list[tuple[Piece, Slots, np.ndarray]], genres: int, config: Config
) -> tuple[list[np.ndarray], list[list[np.ndarray]]]:
    """Codes [S, V] of every piece, counted from 0 in its genre, and per genre and layer the book [codes, 3, latents of it]."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    codes = [np.zeros((len(slots), layers.count), np.int64) for _, slots, _ in read]
    books = []
    for genre in range(genres):
        own = [i for i, (piece, _, _) in enumerate(read) if piece.genre == genre]
        features = [_features(layers, read[i][2], read[i][1]) for i in own]
        count = sum(len(rows) for rows in features)
        k = min(config.codes, max(FEWEST_CODES, count // SLOTS_PER_CODE), count)
        thinned = np.concatenate(features)[:: max(1, count // CLUSTERED)]
        book = []
        for v in range(layers.count):
            rows = thinned[..., _own(layers, v)]
            with threadpool_limits(1):  # sums in one order: the same seed gives the same file
                found = KMeans(k, n_init=1, max_iter=ROUNDS, init="random", random_state=config.seed).fit(
                    rows.reshape(len(rows), -1)
                )
            book.append(found.cluster_centers_.reshape(k, 3, -1).astype(np.float32))
        books.append(book)
        for i, rows in zip(own, features, strict=True):
            codes[i] = _assign(layers, book, rows)
    return codes, books


def _assign(layers: LayerFront, book: list[np.ndarray], features: np.ndarray) -> np.ndarray:
    """The nearest code [S, V] in `book` for `features` [S, 3, latents]."""
    codes = []
    for v, centres in enumerate(book):
        rows = torch.from_numpy(np.ascontiguousarray(features[..., _own(layers, v)]).reshape(len(features), -1))
        codes.append(torch.cdist(rows, torch.from_numpy(centres.reshape(len(centres), -1))).argmin(1).numpy())
    return np.stack(codes, axis=1)


def _memory(
    layers: LayerFront,
    row: int,
    prepared: Prepared,
    read: list[tuple[Piece, Slots, np.ndarray]],
    training: list[Coded],
    books: list[list[np.ndarray]],
    config: Config,
) -> Memory:
    """The tables, with as much of every piece as the file may hold: sections from all over it."""
    genres = len(books)
    frames_of = [sum(len(z) for piece, _, z in read if piece.genre == g) for g in range(genres)]
    slots_to_frames = sum(len(slots) for _, slots, _ in read) / sum(frames_of)
    shares = shares_of(frames_of, config.memory_mb * 1e6 / (row + layers.size * slots_to_frames))
    kept = [sections(len(slots), count) for (_, slots, _), count in zip(read, counts([(p.genre, len(s)) for p, s, _ in read], shares), strict=True)]
    frames = sum(int(slots.edges[a + n] - slots.edges[a]) for (_, slots, _), own in zip(read, kept, strict=True) for a, n in own)
    codes = [len(book[0]) for book in books]
    pieces = [sum(piece.genre == g for piece, _, _ in read) for g in range(genres)]
    memory = Memory(frames, sum(n for own in kept for _, n in own), codes, pieces, layers.count, layers.size, row)
    frame = slot = 0
    for number, ((piece, slots, latents), own_sections, coded) in enumerate(zip(read, kept, training, strict=True)):
        memory.piece_first[number], memory.piece_slots[number] = slot, sum(n for _, n in own_sections)
        memory.tempo[number], memory.struck[number] = slots.tempo, _struck(layers, prepared, piece)
        for begin, count in own_sections:
            own, taken = slice(slot, slot + count), slice(begin, begin + count)
            edges = slots.edges[begin : begin + count + 1]
            length = int(edges[-1] - edges[0])
            sound = prepared.sound_of(piece)[edges[0] : edges[-1], :row]
            memory.frames[frame : frame + length] = torch.from_numpy(np.array(sound))
            memory.ends[own] = torch.from_numpy(latents[edges[1:] - 1 - slots.first[0]])
            memory.first[own] = torch.from_numpy(frame + edges[:-1] - edges[0]).int()
            memory.length[own] = torch.from_numpy(np.diff(edges)).int()
            memory.late[own] = torch.from_numpy(slots.late[taken]).float()
            begins = edges[:-1] - slots.late[taken]
            memory.duration[own] = torch.from_numpy(np.append(np.diff(begins), edges[-1] - begins[-1])).float()
            memory.piece[own], memory.final[own] = number, frame + length - 1
            memory.place[own] = torch.from_numpy(slots.number[taken] % BAR).int()
            memory.follows[slot : slot + count - 1] = 1
            memory.code[:, own] = torch.from_numpy(coded.code[taken].T.copy()).int()
            memory.fit[own] = torch.from_numpy(np.round(slots.fit[taken] * FIT)).clamp(-127, 127).to(torch.int8)
            memory.chord[own] = torch.from_numpy(slots.chord[taken]).to(torch.int8)
            frame, slot = frame + length, slot + count
    for g, book in enumerate(books):
        for v, centres in enumerate(book):
            at = slice(memory.code_first[g], memory.code_first[g + 1])
            first = layers.first_latent[v]
            for third in range(3):
                start = third * layers.size + first
                memory.book[at, start : start + layers.latents[v]] = torch.from_numpy(centres[:, third]).half()
    memory.group()
    return memory
