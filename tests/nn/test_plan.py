"""The plan: a slot at a time equals the whole sequence, and what is drawn follows the logits."""

import pytest
import torch

from noizestream.nn.clock import Clock
from noizestream.nn.notes import Notes
from noizestream.nn.plan import LEAST, Plan
from noizestream.nn.spectral import SpectralFront

CODES = 12


@pytest.fixture(scope="module")
def plan() -> Plan:
    torch.manual_seed(0)
    notes = Notes(SpectralFront(48000), CODES)
    notes.book.uniform_(0, 2)
    return Plan(notes, genres=3, hidden=16).eval()


@torch.no_grad()
def test_slot_by_slot_equals_the_whole_sequence(plan):
    count = 80  # longer than its memory
    codes = torch.randint(CODES, (count, plan.voices))
    genre = torch.eye(3)[1:2]
    clock = Clock()(torch.arange(count, dtype=torch.float64) / 4, torch.ones(count), torch.ones(count))
    whole, _ = plan.sequence(
        torch.cat([torch.full((plan.memory, plan.voices), CODES), codes])[None],
        genre[None].expand(1, count, 3),
        clock[None],
        plan.recurrent.initial_sequence_state(1),
    )
    state = plan.initial_state()
    for slot in range(count):
        here = codes[slot : slot + 1]
        h, cells = plan.foretell(genre, clock[slot : slot + 1], state)
        assert torch.allclose(plan.logits(h, here)[0], whole[0, slot], atol=1e-5)
        state = plan.moved(cells, state, here, float(slot), torch.zeros(1, 0))
        columns = zip(plan.notes.edges, plan.notes.edges[1:], here[0].tolist(), strict=False)
        expected = torch.cat([plan.notes.book[code, start:end] for start, end, code in columns])
        assert torch.equal(state[4][0], expected)


def chances(logits: torch.Tensor, temperature: float) -> torch.Tensor:
    """What draws follow: the softmax at that temperature, without what is far less likely than the likeliest."""
    found = torch.softmax(logits / (0.3 + 0.7 * temperature), 0)
    found = torch.where(found > LEAST * found.max(), found, 0.0)
    return found / found.sum()


@torch.no_grad()
def test_what_is_drawn_follows_the_logits_and_the_temperature(plan):
    h = torch.randn(1, plan.hidden, generator=torch.Generator().manual_seed(3)) * 3
    generator = torch.Generator().manual_seed(4)
    most = []
    for temperature in (0.0, 1.0, 2.0):
        numbers = torch.rand(3000, plan.voices, generator=generator)
        numbers[:, 0] = (torch.arange(3000) + 0.5) / 3000
        drawn = torch.cat([plan.draw(h, row, torch.tensor(temperature)) for row in numbers])
        first = torch.bincount(drawn[:, 0], minlength=CODES)
        shares = chances(plan.logits(h, drawn[:1])[0, 0], temperature)
        assert (first[shares == 0] == 0).all() and (temperature or (shares == 0).any())
        assert torch.allclose(first / 3000, shares, atol=2e-3)
        below = int(first.argmax())  # what the second voice sings over this
        over = drawn[drawn[:, 0] == below][:, 1]
        shares = chances(plan.logits(h, torch.tensor([[below] * plan.voices]))[0, 1], temperature)
        assert torch.allclose(torch.bincount(over, minlength=CODES) / len(over), shares, atol=4 / len(over) ** 0.5)
        most.append(float(first.max()))
    assert most[0] > most[1] > most[2]
    assert (plan.draw(h, torch.full((plan.voices,), 1 - 2**-24), torch.tensor(1.0)) < CODES).all()
