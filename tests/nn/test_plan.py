"""The plan: a slot at a time equals the whole sequence, and what is drawn follows the logits."""

import pytest
import torch

from noizestream.nn.clock import Clock
from noizestream.nn.notes import Notes
from noizestream.nn.plan import Plan
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
    codes = torch.randint(CODES, (count,))
    genre = torch.eye(3)[1:2]
    clock = Clock()(torch.arange(count, dtype=torch.float64) / 4, torch.ones(count), torch.ones(count))
    whole, _ = plan.sequence(
        torch.cat([torch.full((plan.memory,), CODES), codes])[None],
        genre[None].expand(1, count, 3),
        clock[None],
        plan.recurrent.initial_sequence_state(1),
    )
    state = plan.initial_state()
    for slot in range(count):
        logits, cells = plan.foretell(genre, clock[slot : slot + 1], state)
        assert torch.allclose(logits, whole[0, slot], atol=1e-5)
        state = plan.moved(cells, state, codes[slot : slot + 1], float(slot))
        assert torch.equal(state[4], plan.notes.book[codes[slot : slot + 1]])


def test_what_is_drawn_follows_the_logits_and_the_temperature(plan):
    logits = torch.randn(CODES, generator=torch.Generator().manual_seed(3))
    numbers = (torch.arange(4000) + 0.5) / 4000
    shares = {}
    for temperature in (0.0, 1.0, 2.0):
        drawn = torch.cat([plan.draw(logits, number, torch.tensor(temperature)) for number in numbers])
        shares[temperature] = torch.bincount(drawn, minlength=CODES) / len(numbers)
        expected = torch.softmax(logits / (0.3 + 0.6 * temperature), 0)
        assert torch.allclose(shares[temperature], expected, atol=1e-3)
    assert shares[0.0].max() > shares[1.0].max() > shares[2.0].max()
    assert plan.draw(logits, torch.tensor(1 - 2**-24), torch.tensor(1.0)) < CODES
