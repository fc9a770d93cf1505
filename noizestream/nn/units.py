"""The whole generator as one pure step: a navigator over slots, a memory of real sound in layers.

    slot begins: LSTM -> layer by layer, go on in the memory or jump (director.py, chooser.py)
    every block: frame of every layer, and what fades -> coefficients -> levels -> sound (reading.py, codec.py)

docs/model-format.md gives the contract of `step`. What it keeps between blocks is named in unit_state.py.
"""

import math

import torch
from torch import Tensor, nn

from noizestream.nn.chooser import Chooser
from noizestream.nn.codec import Codec
from noizestream.nn.director import Director
from noizestream.nn.hearing import Hearing
from noizestream.nn.layers import LayerFront
from noizestream.nn.memory import Memory
from noizestream.nn.navigator import WRAP, Navigator
from noizestream.nn.reading import Reader
from noizestream.nn.spectral import SpectralFront
from noizestream.nn.unit_controls import FIRST_OF_LAYERS, PER_LAYER, controls_of
from noizestream.nn.unit_state import LayerState, Moment, UnitState, initial, nothing, pack, unpack

PER_BEAT = 4.0
BEAT_WRAP = WRAP / PER_BEAT


class UnitPlayer(nn.Module):
    """Controls are those of `controls_of`; `tempos` [G] in BPM, `beaten` [G] the confidence in them."""

    log_tempos: Tensor
    beaten: Tensor

    def __init__(
        self,
        front: SpectralFront,
        codec: Codec,
        layers: LayerFront,
        memory: Memory,
        navigator: Navigator,
        tempos: Tensor,
        beaten: Tensor,
        odds: float = 0.0,
    ):
        super().__init__()
        self.layers, self.memory, self.navigator = layers, memory, navigator
        self.hearing = Hearing(front, codec, layers, memory, navigator)
        self.chooser = Chooser(layers, memory, navigator, self.hearing, odds)
        self.director = Director(memory, navigator, self.chooser)
        self.reader = Reader(codec, memory, layers)
        self.controls = controls_of(layers.names, memory.genres)
        self.register_buffer("log_tempos", torch.log(tempos))  # [G] of BPM
        self.register_buffer("beaten", (beaten >= 0.5).float())  # [G]
        self.count: int = layers.count
        self.genres: int = memory.genres
        self.cells: int = 2 * navigator.recurrent.layers
        self.layers_of_lstm: int = navigator.recurrent.layers
        self.hidden: int = navigator.hidden
        self.codes: int = memory.codes
        self.block: int = front.block
        self.channels: int = front.channels
        self.sample_rate: int = front.sample_rate
        self.drawn: int = self.director.drawn
        self.noise_size: int = self.drawn
        self.latency_frames: int = 0  # the block in which a slot begins is that of the recording
        self.per_beat: float = PER_BEAT
        self.wrap: float = BEAT_WRAP
        self.slots: float = float(WRAP)
        self.beats_per_bpm: float = front.block / front.sample_rate / 60.0
        self.first_of_layers: int = FIRST_OF_LAYERS
        self.per_layer: int = PER_LAYER

    def initial_state(self) -> list[Tensor]:
        """Nothing heard, beat 0."""
        sizes = (self.hidden, self.layers_of_lstm, self.count, self.genres, self.codes, self.channels, self.block)
        return pack(initial(*sizes))

    def step(self, genre: Tensor, controls: Tensor, noise: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """genre [G], controls [5 + 5 V], noise [noise_size], state -> block [channels, block], state."""
        was = unpack(state, self.cells)
        # Numbers, not tensors: what is done with them costs nothing beside calling an operator.
        knobs: list[float] = controls.tolist()
        rows: list[list[float]] = was.layers.tolist()
        numbers: list[float] = was.moment.tolist()
        moment, playing = Moment(numbers), [LayerState(row) for row in rows]
        beat = knobs[2] if knobs[2] >= 0 else moment.beat
        whole = math.floor(beat * self.per_beat)
        slot = int(math.fmod(whole, self.slots))
        begins = slot != moment.slot
        h, cells, h_ahead, ahead, codes, units = was.h, was.cells, was.h_ahead, was.ahead, was.codes, was.units
        if begins:
            if moment.ahead == slot:
                h, cells = h_ahead, ahead
            else:
                h, cells = self.listen(genre, codes, playing[0].piece, slot, cells)
        if begins or self.director.disturbed(genre, knobs, was, playing, moment):
            taken = self.director.decide(genre, knobs, noise, was, h, playing, moment, slot, begins)
            here = torch.tensor([[one.unit() for one in playing]])
            # What is decided anew within a slot takes the place of what was.
            kept = 1 if begins else 0
            codes = torch.cat([codes[kept : 63 + kept], torch.tensor([taken])])
            units = torch.cat([units[kept : 15 + kept], here])
            moment.ahead = -1
        elif moment.ahead < 0:
            moment.ahead = int(math.fmod(slot + 1, self.slots))
            h_ahead, ahead = self.listen(genre, codes, playing[0].piece, moment.ahead, cells)
        way = beat * self.per_beat - whole
        self.reader.move(playing, way)
        audio, overlap = self.reader.sound(playing, self.gains(knobs), was.overlap)
        passed = self.passed(playing[0].slot, way) if knobs[1] <= 0 else knobs[1] * self.beats_per_bpm
        moment.beat, moment.slot = math.fmod(beat + passed, self.wrap), slot
        for one in playing:
            one.since += 1
        table = torch.tensor([one.row() for one in playing], dtype=torch.float64)
        # TorchScript makes a list a tensor by way of float32: there the beat would drift.
        position, rest = torch.full([1], moment.beat, dtype=torch.float64), torch.tensor(moment.numbers()[1:], dtype=torch.float64)
        after = UnitState(cells, ahead, h, h_ahead, codes, units, table, torch.cat([position, rest]), genre, overlap)
        return audio, pack(after)

    def passed(self, slot: int, way: float) -> float:
        """Beats of a block, a share `way` into `slot`, if the music moves as it was played: slots are not all as long."""
        lasts = float(self.memory.duration[slot])
        left = (1.0 - way) * lasts  # frames
        after = self.memory.next(slot) if left < 1.0 else -1
        if after < 0:
            return 1.0 / (self.per_beat * lasts)
        return (1.0 - way + (1.0 - left) / float(self.memory.duration[after])) / self.per_beat

    def places(self, state: list[Tensor]) -> Tensor:
        """Which slot of the memory each layer plays: int64 [V], -1 for none. Numbers in a row have gone on."""
        return unpack(state, self.cells).layers[:, 0].long()

    def listen(self, genre: Tensor, codes: Tensor, piece: int, slot: int, cells: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """What the LSTM says of `slot` after `codes` [64, V], and its state. `piece` is -1 where none is known."""
        beaten = float(torch.dot(self.beaten, genre))
        return self.hearing.listen(codes, genre, slot, beaten, self.navigator.pieces if piece < 0 else piece, cells)

    def gains(self, knobs: list[float]) -> list[float]:
        """Linear gain of every layer."""
        factors: list[float] = []
        for v in range(self.count):
            at = self.first_of_layers + self.per_layer * v
            silent = knobs[at + 1] >= 0.5 or knobs[at] <= -60.0
            factors.append(0.0 if silent else 10.0 ** (knobs[at] / 20.0))
        return factors

    def encode(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """audio [channels, n] -> latents [T, latents], log band magnitudes [T, tones]; T = n // block - 3."""
        return self.hearing.encode(audio)

    def score(self, audio: Tensor, genre: Tensor) -> tuple[Tensor, Tensor]:
        """Nats per block [T] of audio [channels, n], mean prediction in log band magnitudes [T, tones]; at the genre's tempo."""
        frames = torch.arange(audio.shape[1] // self.block, dtype=torch.float64)
        own = math.exp(float(torch.dot(self.log_tempos, genre)))
        return self.hearing.score(audio, genre, (frames + 2.0) * (own * self.beats_per_bpm), 0.0)

    def score_at(self, audio: Tensor, genre: Tensor, beat: Tensor) -> tuple[Tensor, Tensor]:
        """As `score`, with the position in beats at the beginning of every block, beat [>= T] float64 and rising."""
        return self.hearing.score(audio, genre, self.hearing.middles(beat), float(torch.dot(self.beaten, genre)))

    def reconstruct(self, audio: Tensor) -> Tensor:
        """Through the codec and back: audio [channels, n] -> the same shape."""
        return self.hearing.reconstruct(audio)

    def prime(self, audio: Tensor, genre: Tensor) -> list[Tensor]:
        """The state after hearing audio [channels, n], taken to begin on a beat and to run at the genre's own tempo."""
        own = math.exp(float(torch.dot(self.log_tempos, genre))) * self.beats_per_bpm
        beaten = float(torch.dot(self.beaten, genre))
        heard = self.hearing.heard(audio, genre, own, beaten)
        state = unpack(self.initial_state(), self.cells)
        middle = int(heard.places[0])
        rows: list[list[float]] = []
        places: list[int] = heard.places.tolist()
        for place in places:
            begun = LayerState(nothing())
            begun.slot, begun.sounding, begun.gate = place, place, self.chooser.sure
            begun.piece = int(self.memory.piece[middle])
            # It has been heard up to the end of this slot.
            begun.since, begun.frame = 1, float(self.memory.first[place] + self.memory.length[place] - 1)
            rows.append(begun.row())
        beat = math.fmod(heard.beat, self.wrap)
        # The last slot that was heard is over where the next one begins.
        moment = [beat, float(math.floor(beat * self.per_beat) - 1), 0.0, 1.0, -1.0, -1.0]
        layers, numbers = torch.tensor(rows, dtype=torch.float64), torch.tensor(moment, dtype=torch.float64)
        listened = (heard.cells, state.ahead, heard.h, heard.h, heard.codes, state.units)
        return pack(UnitState(*listened, layers, numbers, genre, heard.overlap))
