"""The memory: rows of the codec for real music, cut into slots. Per genre and layer a code names a cluster of slots, its members.

Everything is a table, so that all of it travels in the model file. Slots of one piece follow each other; the last one of a piece
is followed by none.
"""

import torch
from torch import Tensor, nn

MOST = 48
"""Members of a code that are compared when one is chosen."""
TRIADS = 24
FIT = 100.0
"""A triad that fits wholly is kept as this in int8."""


class Memory(nn.Module):
    """Tables of F frames of R bytes, S slots, C codes in all, P pieces; V layers of L latents.

    The codes of genre g are `code_first[g]` to `code_first[g + 1]` (excluded), in every layer.
    """

    frames: Tensor
    ends: Tensor
    first: Tensor
    length: Tensor
    duration: Tensor
    final: Tensor
    late: Tensor
    piece: Tensor
    place: Tensor
    follows: Tensor
    code: Tensor
    fit: Tensor
    chord: Tensor
    members: Tensor
    member_first: Tensor
    member_count: Tensor
    code_fit: Tensor
    book: Tensor
    piece_slots: Tensor
    piece_first: Tensor
    tempo: Tensor
    struck: Tensor

    def __init__(self, frames: int, slots: int, codes: list[int], pieces: list[int], layers: int, latents: int, row: int):
        """`codes` and `pieces` are counts per genre. The tables are empty: training/data/memory.py fills them."""
        super().__init__()
        self.layers: int = layers
        self.genres: int = len(codes)
        self.code_first = [sum(codes[:g]) for g in range(len(codes) + 1)]
        self.piece_from = [sum(pieces[:g]) for g in range(len(pieces) + 1)]
        total, count = sum(codes), sum(pieces)
        self.codes: int = total
        self.pieces: int = count
        self.slots: int = slots
        self.most: int = MOST

        def table(*shape: int, dtype: torch.dtype = torch.int32) -> Tensor:
            return torch.zeros(*shape, dtype=dtype)

        self.register_buffer("frames", table(frames, row, dtype=torch.uint8))  # of the codec
        self.register_buffer("ends", table(slots, latents, dtype=torch.int8))  # latents of a slot's last frame
        self.register_buffer("first", table(slots))  # its first frame
        self.register_buffer("length", table(slots))  # its frames
        self.register_buffer("duration", torch.ones(slots))  # how long it lasts, in frames
        self.register_buffer("final", table(slots))  # the last frame that goes on from it
        self.register_buffer("late", torch.zeros(slots))  # by so many frames the first one lies behind the slot's beginning
        self.register_buffer("piece", table(slots))
        self.register_buffer("place", table(slots))  # sixteenth of the bar
        self.register_buffer("follows", table(slots, dtype=torch.int8))  # 1 where the next slot goes on
        self.register_buffer("code", table(layers, slots))
        self.register_buffer("fit", table(slots, TRIADS, dtype=torch.int8))
        self.register_buffer("chord", table(slots, dtype=torch.int8))
        self.register_buffer("members", table(layers, slots))  # slots, code by code
        self.register_buffer("member_first", table(layers, total))
        self.register_buffer("member_count", table(layers, total))
        self.register_buffer("code_fit", table(layers, total, TRIADS, dtype=torch.int8))  # of the member that fits best
        self.register_buffer("book", torch.zeros(total, 3 * latents, dtype=torch.float16))  # means of the thirds of a slot
        self.register_buffer("piece_first", table(count))  # its first slot
        self.register_buffer("piece_slots", table(count))
        self.register_buffer("struck", torch.ones(count))  # which share of a piece's power is percussive
        self.register_buffer("tempo", torch.full((count,), 120.0))  # of each piece, in BPM

    def group(self) -> None:
        """Fill `members` and what follows from codes and fits, once those are set."""
        for v in range(self.layers):
            order = torch.argsort(self.code[v], stable=True)
            count = torch.bincount(self.code[v].long(), minlength=self.codes)
            self.members[v] = order.int()
            self.member_count[v] = count.int()
            self.member_first[v] = (count.cumsum(0) - count).int()
            best = torch.full((self.codes, TRIADS), -127, dtype=torch.int8)
            best.scatter_reduce_(0, self.code[v].long().unsqueeze(1).expand(-1, TRIADS), self.fit, "amax")
            self.code_fit[v] = best

    def members_of(self, layer: int, code: int, number: float) -> Tensor:
        """Return members [n] of a code in `layer`, at most `MOST`: of more, neighbours from a place that `number` 0..1 says."""
        first, count = int(self.member_first[layer, code]), int(self.member_count[layer, code])
        if count > self.most:
            first += int(number * float(count - self.most + 1))
            count = self.most
        return self.members[layer].narrow(0, first, count)

    def next(self, slot: int) -> int:
        """Return the slot that follows in the music, or -1."""
        if slot < 0 or int(self.follows[slot]) == 0:
            return -1
        return slot + 1

    def last_frame(self, slot: int) -> int:
        """Return the last frame of the stretch that `slot` is in."""
        return int(self.final[slot])

    def genre_of(self, slot: int) -> int:
        """Return which genre `slot` belongs to; -1 for no slot."""
        return -1 if slot < 0 else self.genre_of_piece(int(self.piece[slot]))

    def genre_of_piece(self, piece: int) -> int:
        """Return the genre of a piece."""
        genre = 0
        while piece >= self.piece_from[genre + 1]:
            genre += 1
        return genre
