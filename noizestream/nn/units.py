"""The whole generator as one pure step: a navigator over slots, a memory of real frames in layers, the synthesis of phases.

    slot begins: LSTM -> layer by layer, go on in the memory or jump (director.py, chooser.py)
    every block: frame of every layer -> columns -> joins -> levels -> bands -> phases -> sound

docs/model-format.md gives the contract of `step`. What it keeps between blocks is named in unit_state.py.
"""

import math

import torch
from torch import Tensor, nn

from noizestream.nn.chooser import Chooser
from noizestream.nn.director import Director
from noizestream.nn.hearing import Hearing
from noizestream.nn.layers import LayerFront
from noizestream.nn.memory import Memory
from noizestream.nn.navigator import WRAP, Navigator
from noizestream.nn.phases import PhaseSynthesis
from noizestream.nn.spectral import SpectralFront
from noizestream.nn.unit_controls import FIRST_OF_LAYERS, PER_LAYER, controls_of
from noizestream.nn.unit_state import LayerState, Moment, UnitState, initial, pack, unpack

PER_BEAT = 4.0
BEAT_WRAP = WRAP / PER_BEAT
JOIN_S = 0.12
"""For so long after a jump what sounded before rings on beneath."""
RELEASE_DB_S = 250.0
"""How fast it does: no joint is a hole, and none is heard for long."""
STRAY = 1.5
"""Frames by which reading may be off the beat."""


class UnitPlayer(nn.Module):
    """Controls are those of `controls_of`. `hiss` [G] is the share of noise in the treble (training/hiss.py)."""

    log_tempos: Tensor
    beaten: Tensor
    hiss: Tensor
    falling: Tensor
    untoned: Tensor

    def __init__(
        self,
        front: SpectralFront,
        layers: LayerFront,
        memory: Memory,
        navigator: Navigator,
        tempos: Tensor,
        beaten: Tensor,
        hiss: Tensor,
        odds: float = 0.0,
    ):
        super().__init__()
        self.layers, self.memory, self.navigator = layers, memory, navigator
        self.hearing = Hearing(front, layers, memory, navigator)
        self.chooser = Chooser(layers, memory, navigator, self.hearing, odds)
        self.director = Director(memory, navigator, self.chooser)
        self.synthesis = PhaseSynthesis(front)
        self.controls = controls_of(layers.names, memory.genres)
        self.register_buffer("log_tempos", torch.log(tempos))  # [G] of BPM
        self.register_buffer("beaten", (beaten >= 0.5).float())  # [G]
        self.register_buffer("hiss", hiss)  # [G]
        self.register_buffer("falling", -layers.toned)
        self.register_buffer("untoned", 1e3 * (1 - layers.toned))  # the image does not ring on
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
        self.noise_size: int = self.drawn + front.block
        self.latency_frames: int = 2 * front.block
        self.per_beat: float = PER_BEAT
        self.wrap: float = BEAT_WRAP
        self.slots: float = float(WRAP)
        self.beats_per_bpm: float = front.block / front.sample_rate / 60.0
        self.join: int = round(JOIN_S * front.sample_rate / front.block)
        self.stray: float = STRAY
        self.release: float = RELEASE_DB_S / 8.686 * front.block / front.sample_rate
        self.first_of_layers: int = FIRST_OF_LAYERS
        self.per_layer: int = PER_LAYER
        self.starts = layers.starts
        self.sizes = layers.sizes
        self.first_latent = layers.first_latent
        self.latent_sizes = layers.latents
        self.unmoved: int = self.chooser.unmoved

    def initial_state(self) -> list[Tensor]:
        """Nothing heard, beat 0."""
        sizes = (self.hidden, self.layers_of_lstm, self.count, self.genres, self.codes, self.layers.columns, self.layers.size)
        return pack(initial(*sizes, self.synthesis.initial_state()))

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
        # Left alone, the music runs at the tempo of what leads.
        tempo = float(self.memory.tempo[self.memory.piece[playing[0].slot]]) if knobs[1] <= 0 else knobs[1]
        columns, latents = self.read(playing, beat * self.per_beat - whole, tempo)
        if min([one.since for one in playing]) < self.join:
            fall = torch.tensor([self.release if one.since < self.join else 100.0 for one in playing])
            ringing = torch.addcmul(was.columns - self.untoned, fall.index_select(0, self.layers.layer_of), self.falling)
            columns = torch.maximum(columns, ringing)
        bands = self.layers.mix(columns, self.gains(knobs))
        audio, sound = self.synthesis(bands, noise.narrow(0, self.drawn, self.block), was.sound, float(torch.dot(self.hiss, genre)))

        passed = tempo * self.beats_per_bpm
        moment.beat, moment.slot = math.fmod(beat + passed, self.wrap), slot
        for one in playing:
            one.since += 1
        table = torch.tensor([one.row() for one in playing], dtype=torch.float64)
        # TorchScript makes a list a tensor by way of float32: there the beat would drift.
        position, rest = torch.full([1], moment.beat, dtype=torch.float64), torch.tensor(moment.numbers()[1:], dtype=torch.float64)
        after = UnitState(
            cells, ahead, h, h_ahead, codes, units, table, torch.cat([position, rest]), genre, columns, latents, sound
        )
        return audio, pack(after)

    def places(self, state: list[Tensor]) -> Tensor:
        """Which slot of the memory each layer plays: int64 [V], -1 for none. Numbers in a row have gone on."""
        return unpack(state, self.cells).layers[:, 0].long()

    def listen(self, genre: Tensor, codes: Tensor, piece: int, slot: int, cells: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """What the LSTM says of `slot` after `codes` [64, V], and its state. `piece` is -1 where none is known."""
        beaten = float(torch.dot(self.beaten, genre))
        return self.hearing.listen(codes, genre, slot, beaten, self.navigator.pieces if piece < 0 else piece, cells)

    def gains(self, knobs: list[float]) -> Tensor:
        """Linear gain of every column."""
        factors: list[float] = []
        for v in range(self.count):
            at = self.first_of_layers + self.per_layer * v
            silent = knobs[at + 1] >= 0.5 or knobs[at] <= -60.0
            factors.append(0.0 if silent else 10.0 ** (knobs[at] / 20.0))
        return torch.tensor(factors).index_select(0, self.layers.layer_of)

    def read(self, playing: list[LayerState], way: float, tempo: float) -> tuple[Tensor, Tensor]:
        """Columns and latents of the frames that lie a share `way` of a slot into what every layer plays, at `tempo` BPM.

        A layer that goes on reads frame by frame as it was recorded, and only where it has lost the beat by `STRAY` frames it is
        brought back: else every slot would begin up to a frame early or late, and the beat would shake.
        """
        parts: list[Tensor] = []
        frames: list[int] = []
        for v, state in enumerate(playing):
            slot = state.slot
            right = float(self.memory.first[slot]) + way * float(self.memory.length[slot]) - float(self.memory.late[slot])
            state.frame += tempo / float(self.memory.tempo[self.memory.piece[slot]])
            if state.since == 0 or abs(state.frame - right) > self.stray:
                state.frame = right
                if playing[0].slot == slot and v > 0:
                    state.frame = playing[0].frame  # together to the frame
            frame = min(max(int(state.frame + 0.5), 0), len(self.memory.frames) - 1)
            frames.append(frame)
            parts.append(self.memory.frames[frame].narrow(0, self.first_latent[v], self.latent_sizes[v]))
        latents = torch.cat(parts).float() * self.layers.step
        columns = self.layers.decode(latents)
        for v, state in enumerate(playing):
            if state.shift != self.unmoved:
                whole = self.layers.decode(self.memory.frames[frames[v]].float() * self.layers.step)
                own = self.layers.shifted(whole, state.shift).narrow(0, self.starts[v], self.sizes[v])
                columns.narrow(0, self.starts[v], self.sizes[v]).copy_(own)
        return columns, latents

    def encode(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """audio [channels, n] -> latents [T, latents], log band magnitudes [T, tones]; T = n // block - 3."""
        return self.hearing.encode(audio)

    def score(self, audio: Tensor, genre: Tensor) -> tuple[Tensor, Tensor]:
        """Nats per block [T] of audio [channels, n], mean prediction in log band magnitudes [T, tones]; at the genre's tempo."""
        frames = torch.arange(audio.shape[1] // self.block, dtype=torch.float64)
        own = math.exp(float(torch.dot(self.log_tempos, genre)))
        return self.hearing.score(audio, genre, frames * (own * self.beats_per_bpm), 0.0)

    def score_at(self, audio: Tensor, genre: Tensor, beat: Tensor) -> tuple[Tensor, Tensor]:
        """As `score`, with the position in beats of every frame, beat [>= T] float64 and rising."""
        return self.hearing.score(audio, genre, beat, float(torch.dot(self.beaten, genre)))

    def reconstruct(self, audio: Tensor) -> Tensor:
        """Through the memory's latents and back: audio [channels, n] -> the same shape, with phases of the synthesis."""
        channels, length = audio.shape[0], audio.shape[1]
        padded = torch.nn.functional.pad(audio, (4 * self.block, 8 * self.block))
        columns = self.layers.decode(self.hearing.rounded(padded))
        unity = torch.ones(self.layers.columns)
        bands = torch.stack([self.layers.mix(columns[t], unity) for t in range(columns.shape[0])])
        # Noise for the treble: any white sequence does; this one is the same every time.
        steps = torch.arange(bands.shape[0] * self.block, dtype=torch.float64)
        white = torch.frac(torch.sin(steps * 12.9898) * 43758.5453).abs().clamp(1e-6, 1 - 1e-6).to(torch.float32)
        made = self.synthesis.stream(bands, white.view(-1, self.block), float(self.hiss.mean()))
        made = made[:, 4 * self.block : 4 * self.block + length]
        return made.expand(channels, -1) if made.shape[0] == 1 else made.mean(0, keepdim=True) if channels == 1 else made

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
            begun = [float(place), float(self.unmoved), 0.0, 0.0, 0.0, self.chooser.sure, 0.0]
            rows.append(begun + [float(self.memory.piece[middle]), -1.0])  # noqa: RUF005 (TorchScript knows no unpacking)
        beat = math.fmod(heard.beat, self.wrap)
        # The last slot that was heard is over where the next one begins.
        moment = [beat, float(math.floor(beat * self.per_beat) - 1), 0.0, 1.0, -1.0, -1.0]
        layers, numbers = torch.tensor(rows, dtype=torch.float64), torch.tensor(moment, dtype=torch.float64)
        listened = (heard.cells, state.ahead, heard.h, heard.h, heard.codes, state.units)
        return pack(UnitState(*listened, layers, numbers, genre, heard.columns, heard.latents, heard.sound))
