"""The whole generator as one pure step: plan, predictor, sampling, decoder, synthesis. `train` scripts it into the model file.

docs/model-format.md gives the contract of `step`. The state is a list of tensors that the caller keeps:

    h0 c0 h1 c1 ...   [1, hidden]         LSTM
    history           [CONTEXT, latent]   newest latent last
    beat              [] float64          position of the next frame, in beats
    places            [G] int64           where each genre is in its table of moods
    quieter           [] float64          nepers that contrast costs, eased
    begun             [memory] int64      where in the table the numbers of the last slots began, and the genre, newest last
    here              [2] float64         the same of this slot; 1 if its bar is recalled (recall.py)
    timbre            [bands]             nepers that the mood adds, eased
    plan h, plan c    [1, plan hidden]    LSTM of the plan
    codes             [memory, voices] int64   of the last slots, newest last
    slot              [] float64          the slot that the plan is in, -1 before the first
    notes             [1, partials + moods]   what the plan asks for in it, and the mood
    phases, overlap-add tail, last noise (see phases.py)
"""

import math

import torch
from torch import Tensor, nn

from noizestream.nn.clock import BEAT_WRAP, Clock
from noizestream.nn.codec import CONTEXT, Codec
from noizestream.nn.moods import HOP_BEATS, Moods
from noizestream.nn.notes import SLOTS_PER_BEAT, away_from_surroundings
from noizestream.nn.phases import HISS, PhaseSynthesis
from noizestream.nn.plan import Plan
from noizestream.nn.predictor import Predictor, negative_log_likelihood
from noizestream.nn.recall import Recall
from noizestream.nn.spectral import SpectralFront

LIMIT = 5.0
"""Latents stay within this many standard deviations: what training has seen, with room."""
EASE_S = 0.1
"""What contrast adds in power is taken away again over so long."""
TURN = 0.2
"""Share of the way from the timbre of one mood to that of the next which a slot goes: a change takes about a beat."""
SETTLE = 40
"""Frames after which contrast and synthesis do not remember where they began."""

CALIBRATED = ("spread", "contrast", "accent", "level", "timbre")
"""Tables with a row for every genre, set after training."""

CONTROLS = (
    {"name": "temperature", "min": 0.0, "max": 2.0, "default": 1.0, "unit": ""},
    {"name": "tempo", "min": 0.0, "max": 220.0, "default": 0.0, "unit": "BPM"},
    {"name": "beat", "min": -1.0, "max": 1e6, "default": -1.0, "unit": "beats"},
)


class Player(nn.Module):
    """Controls are temperature (0-2), tempo (BPM, 0 the genre's own) and beat (a position to follow, -1 to run free)."""

    log_tempos: Tensor
    beaten: Tensor
    spread: Tensor
    contrast: Tensor
    accent: Tensor
    hiss: Tensor
    level: Tensor
    timbre: Tensor
    around: Tensor
    controls = CONTROLS

    def __init__(
        self,
        front: SpectralFront,
        codec: Codec,
        plan: Plan,
        predictor: Predictor,
        tempos: Tensor,
        spread: Tensor,
        beaten: Tensor | None = None,
        moods: Moods | None = None,
    ):
        super().__init__()
        self.front, self.codec, self.plan, self.predictor = front, codec, plan, predictor
        self.moods = Moods(len(tempos), codec.latent, front.sample_rate / front.block) if moods is None else moods
        self.synthesis = PhaseSynthesis(front)
        self.clock = Clock()
        phases = torch.arange(0, BEAT_WRAP, 1 / 16, dtype=torch.float64)
        predictor.rest(self.clock(phases, torch.ones(len(phases)), torch.ones(len(phases))))
        self.register_buffer("log_tempos", torch.log(tempos))  # [G] of BPM
        # [G] 1 where the genre has a beat: the clock runs; 0 where it is let go
        self.register_buffer("beaten", (torch.ones_like(tempos) if beaten is None else beaten >= 0.5).float())
        self.register_buffer("spread", spread)  # [G] factor on the deviations at temperature 1, calibrated on flux
        self.register_buffer("contrast", torch.ones_like(tempos))  # [G] how far partials stand out, calibrated on peakiness
        self.register_buffer("accent", torch.ones_like(tempos))  # [G] how far the beat stands out, calibrated on the pulse
        self.register_buffer("hiss", torch.full_like(tempos, HISS))  # [G] share of it in the treble, as in the music
        self.register_buffer("around", away_from_surroundings(front)[: plan.notes.last, : plan.notes.last].clone())
        self.register_buffer("level", torch.zeros(len(tempos), front.bands))  # [G, bands] nepers, calibrated on the spectrum
        self.register_buffer("timbre", torch.zeros(len(tempos), self.moods.size, front.bands))  # nepers per unit of mood
        self.recall = Recall(len(tempos), plan.memory, predictor.groups * predictor.mixtures, predictor.latent)
        self.cells: int = 2 * predictor.recurrent.layers
        self.planned: int = self.cells + 7  # where the plan's part of the state begins
        self.sounding: int = self.planned + 5  # and the synthesis's
        self.per_beat: float = SLOTS_PER_BEAT
        self.per_mood: float = SLOTS_PER_BEAT * HOP_BEATS
        self.layers: int = predictor.recurrent.layers
        self.hidden: int = predictor.hidden
        self.latent: int = predictor.latent
        self.block: int = front.block
        self.sample_rate: int = front.sample_rate
        self.voices: int = plan.voices
        self.drawn: int = 3 + self.voices  # numbers that mood, recall and plan take
        self.noise_size: int = self.drawn + self.block
        self.channels: int = front.channels
        self.beats_per_bpm: float = front.block / front.sample_rate / 60.0
        self.context: int = CONTEXT
        self.limit: float = LIMIT
        self.wrap: float = BEAT_WRAP
        self.settle: int = SETTLE
        self.turn: float = TURN
        self.ease: float = front.block / front.sample_rate / EASE_S

    @property
    def latency_frames(self) -> int:
        """From the first sample of a block to the middle of the frame that it begins."""
        return 2 * self.front.block

    def initial_state(self) -> list[Tensor]:
        """Silence heard, beat 0."""
        state = [torch.zeros(1, self.hidden) for _ in range(self.cells)]
        state.append(torch.zeros(self.context, self.latent))
        state.append(torch.zeros([], dtype=torch.float64))
        state.append(self.moods.initial_state())
        state.append(torch.zeros([], dtype=torch.float64))
        state.extend(self.recall.initial_state())
        state.append(torch.zeros(self.front.bands))
        plan = self.plan.initial_state()
        plan[4] = torch.cat([plan[4], torch.zeros(1, self.moods.size)], 1)
        return state + plan + self.synthesis.initial_state()

    def step(self, genre: Tensor, controls: Tensor, noise: Tensor, state: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """genre [G], controls [3], noise [noise_size], state -> block [channels, block], state."""
        cells, planned, sounding = self.cells, self.planned, self.sounding
        # Numbers, not tensors: what is done with them costs nothing beside calling an operator.
        knobs: list[float] = controls.tolist()
        temperature, tempo, beat = knobs[0], knobs[1], knobs[2]
        log_tempo, shown, spread, contrast, hiss, chance = self.own(genre)
        history = state[cells]
        if beat < 0:
            beat = float(state[cells + 1])
        passed = (math.exp(log_tempo) if tempo <= 0 else tempo) * self.beats_per_bpm
        clock, row, plan = self.clock.frame(beat, shown), genre.unsqueeze(0), state[planned:sounding]
        slot, places, timbre = float(math.floor(beat * self.per_beat)), state[cells + 2], state[cells + 6]
        begun, here = state[cells + 4], state[cells + 5]
        last = float(plan[3])
        if slot != last:
            if math.floor(slot / self.per_mood) != math.floor(last / self.per_mood):
                places = self.moods.moved(places, noise[:1])
            aim, cell = self.foretold(row, slot, shown, plan)
            again = self.recall.recalled(slot, last, float(here[1]), chance, noise[1], temperature)
            strongest = int(genre.argmax())
            ago = self.recall.ago(strongest)
            codes, place = plan[2][-ago].unsqueeze(0), int(begun[-ago])
            if again == 0.0 or int(codes[0, 0]) == self.plan.codes or not self.recall.known(place, strongest):
                codes = self.plan.draw(aim, noise[3 : self.drawn], controls[0])
                place = self.recall.place(float(noise[2]), strongest)
            begun = torch.cat([begun[1:], torch.full([1], place, dtype=torch.int64)])
            here = torch.tensor([float(place), again], dtype=torch.float64)
            mood = self.moods.shown(places, row)
            plan = self.plan.moved(cell, plan, codes, slot, mood)
            timbre = torch.lerp(timbre, self.timbre_of(mood, genre), self.turn)
        notes, z = plan[4], history[-1:]
        h, recurrent = self.predictor.hidden_frame(z, row, clock, notes, state[:cells], row * self.accent)

        # The largest of logits + Gumbel noise is a draw from their softmax. One knob for two temperatures: the choice between
        # components sharpens towards 0, their spread shrinks more gently.
        gumbel, gauss = self.recall.numbers(float(here[0]), (beat - slot / self.per_beat) / passed)
        width = spread * (0.43 + 0.57 * temperature)
        choice = 0.15 + 0.35 * temperature * temperature
        gumbel = gumbel.view(-1, self.predictor.mixtures)
        z = self.predictor.draw(h, z, gumbel, gauss.unsqueeze(0), choice, width).clamp(-self.limit, self.limit)

        history = torch.cat([history[1:], z])
        log_bands, quieter = self.shaped(self.codec.decode_frame(history).add_(timbre), genre, contrast, float(state[cells + 3]))
        audio, sound = self.synthesis(log_bands, noise.narrow(0, self.drawn, self.block), state[sounding:], hiss)

        after = [
            history,
            torch.full([], math.fmod(beat + passed, self.wrap), dtype=torch.float64),
            places,
            torch.full([], quieter, dtype=torch.float64),
            begun,
            here,
            timbre,
        ]
        return audio, recurrent + after + plan + sound

    def foretold(self, row: Tensor, slot: float, shown: float, plan: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """What the plan expects in `slot`: `Plan.foretell` with genre [1, G] and the clock as it stands where the slot begins."""
        return self.plan.foretell(row, self.clock.frame(slot / self.per_beat, shown), plan)

    def timbre_of(self, mood: Tensor, genre: Tensor) -> Tensor:
        """What mood [1, MOODS] adds to the log magnitudes [bands] in genre [G]."""
        return torch.mv(self.timbre.flatten(0, 1).t(), (genre.unsqueeze(1) * mood).flatten())

    def own(self, genre: Tensor) -> tuple[float, float, float, float, float, float]:
        """What genre [G] has of its own: log of its tempo in BPM, 1 if it has a beat, spread, contrast, hiss, chance of recall."""
        # Frozen, the stack is a constant.
        table = torch.stack([self.log_tempos, self.beaten, self.spread, self.contrast, self.hiss, self.recall.chance])
        numbers: list[float] = torch.mv(table, genre).tolist()
        return numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]

    def shaped(self, log_bands: Tensor, genre: Tensor, contrast: float, quieter: float) -> tuple[Tensor, float]:
        """Decoded log magnitudes [bands] with level and contrast of the genre [G]; and `quieter` of the state after this frame."""
        last = self.plan.notes.last
        standing = torch.mv(self.around, log_bands[:last])
        shaped = torch.addmv(log_bands, self.level.T, genre)
        low = shaped[:last]
        plain = torch.exp(low)
        low.add_(standing, alpha=contrast - 1.0)
        # Partials stand out at the cost of what is between them: else what is loud were louder, and the treble beneath it. Not at
        # once, or every flicker of a partial would move all the others.
        raised = torch.exp(low)
        added = 0.5 * math.log(float(torch.dot(raised, raised)) / float(torch.dot(plain, plain)))
        quieter += self.ease * (added - quieter)
        low.sub_(quieter)
        return shaped, quieter

    def encode(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """audio [channels, n] -> latents [T, latent], log band magnitudes [T, tones]; T = n // block - 3."""
        bands = self.front.analyse(audio)
        return self.codec.encode(bands.unsqueeze(0))[0].clamp(-self.limit, self.limit), bands[:, : self.codec.tones]

    def score(self, audio: Tensor, genre: Tensor) -> tuple[Tensor, Tensor]:
        """Nats per block [T] of audio [channels, n], mean prediction in log band magnitudes [T, tones]; the clock let go."""
        return self.predicted(audio, genre, torch.zeros(audio.shape[-1] // self.block, dtype=torch.float64), False)

    def score_at(self, audio: Tensor, genre: Tensor, beat: Tensor) -> tuple[Tensor, Tensor]:
        """As `score`, with the position in beats of every frame, beat [>= T] float64 and rising."""
        return self.predicted(audio, genre, beat, True)

    def predicted(self, audio: Tensor, genre: Tensor, beat: Tensor, known_beat: bool) -> tuple[Tensor, Tensor]:
        """`score` and `score_at`."""
        z, bands = self.encode(audio)
        log_tempo, shown, _spread, _contrast, _hiss, _chance = self.own(genre)
        row, history = genre.unsqueeze(0), torch.zeros(self.context, self.latent)
        state = [torch.zeros(1, self.hidden) for _ in range(self.cells)]
        if not known_beat:
            shown = 0.0
            beat = torch.arange(z.shape[0], dtype=torch.float64) * (math.exp(log_tempo) * self.beats_per_bpm)
        codes, slots = self.plan.notes.heard(bands, beat[: z.shape[0]])
        plan, slot = self.plan.initial_state(), -1
        moods = self.moods.read(z, genre)
        nothing = torch.zeros(2, moods.shape[1])  # a score must not know what is to come: the last window that ended before
        moods = torch.cat([nothing, moods])
        nats, means = torch.zeros(z.shape[0]), torch.zeros_like(bands)
        for t in range(z.shape[0]):
            before, target = history[-1:], z[t : t + 1]
            clock = self.clock.frame(float(beat[t]), shown)
            surprise = torch.zeros([])
            if int(slots[t]) != slot:
                slot = int(slots[t])
                start = float(math.floor(float(beat[t]) * self.per_beat))
                here = codes[slot : slot + 1]
                aim, cell = self.foretold(row, start, shown, plan)
                logits = self.plan.logits(aim, here)
                surprise = -torch.log_softmax(logits, -1).gather(-1, here.unsqueeze(-1)).sum()
                plan = self.plan.moved(cell, plan, here, start, moods[t // self.moods.hop][None])
            h, state = self.predictor.hidden_frame(before, row, clock, plan[4], state, row)
            mixture = self.predictor.mixture(h, before, target)
            nats[t] = negative_log_likelihood(mixture, target, self.predictor.ends)[0] + surprise
            expected = self.predictor.mean(mixture)
            means[t] = self.codec.decode_frame(torch.cat([history[1:], expected]))[: self.codec.tones]
            history = torch.cat([history[1:], target])
        return nats, means

    def prime(self, audio: Tensor, genre: Tensor) -> list[Tensor]:
        """The state after hearing audio [channels, n], taken to begin on a beat and to run at the genre's own tempo."""
        z, bands = self.encode(audio)
        count, cells, state = z.shape[0], self.cells, self.initial_state()
        log_tempo, shown, _spread, contrast, hiss, _chance = self.own(genre)
        passed, row, beat = math.exp(log_tempo) * self.beats_per_bpm, genre.unsqueeze(0), 0.0
        history, recurrent, sound = state[cells], state[:cells], state[self.sounding :]
        quieter = float(state[cells + 3])
        codes, slots = self.plan.notes.heard(bands, torch.arange(count, dtype=torch.float64) * passed)
        plan, last = state[self.planned : self.sounding], -1
        moods = self.moods.read(z, genre)
        timbre = self.timbre_of(moods[-1:], genre)
        for t in range(count):
            clock = self.clock.frame(beat, shown)
            if int(slots[t]) != last:
                last = int(slots[t])
                slot = float(math.floor(beat * self.per_beat))
                _, cell = self.foretold(row, slot, shown, plan)
                plan = self.plan.moved(cell, plan, codes[last : last + 1], slot, moods[t // self.moods.hop][None])
            _, recurrent = self.predictor.hidden_frame(history[-1:], row, clock, plan[4], recurrent, row)
            history = torch.cat([history[1:], z[t : t + 1]])
            if t >= count - self.settle:
                log_bands, quieter = self.shaped(self.codec.decode_frame(history).add_(timbre), genre, contrast, quieter)
                _, sound = self.synthesis(log_bands, torch.full((self.block,), 0.5), sound, hiss)
            beat = math.fmod(beat + passed, self.wrap)
        places = self.moods.nearest(moods[-1])
        beats, eased = torch.full([], beat, dtype=torch.float64), torch.full([], quieter, dtype=torch.float64)
        begun = state[cells + 4] + self.recall.place(0.0, int(genre.argmax()))  # what was heard is of this genre
        after = [history, beats, places, eased, begun, state[cells + 5], timbre]
        return recurrent + after + plan + sound

    def reconstruct(self, audio: Tensor) -> Tensor:
        """Through the codec and back: audio [channels, n] -> the same shape, with what the synthesis makes of the latents."""
        channels, length = audio.shape[0], audio.shape[1]
        padded = torch.nn.functional.pad(audio, (4 * self.block, 8 * self.block))
        z, _ = self.encode(padded)
        bands = self.codec.decode(z.unsqueeze(0))[0]
        # Noise for the treble: any white sequence does; this one is the same every time.
        steps = torch.arange(z.shape[0] * self.block, dtype=torch.float64)
        white = torch.frac(torch.sin(steps * 12.9898) * 43758.5453).abs().clamp(1e-6, 1 - 1e-6).to(torch.float32)
        made = self.synthesis.stream(bands, white.view(-1, self.block))[:, 4 * self.block : 4 * self.block + length]
        return made.expand(channels, -1) if made.shape[0] == 1 else made.mean(0, keepdim=True) if channels == 1 else made
