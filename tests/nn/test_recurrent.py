"""The cell that ships is the seed paper's: its six equations, stepped as written, gate by gate, against both of its faces."""

import pytest
import torch
from torch import Tensor

from noizestream.nn.recurrent import Recurrent, at_rest, flat

INPUTS, HIDDEN, LAYERS, STEPS = 5, 7, 2, 12


class SixEquations:
    """One LSTM cell out of torch's weights, whose rows are the input, forget, candidate and output gates in this order."""

    def __init__(self, cell: torch.nn.LSTMCell):
        self.w_i, self.w_f, self.w_c, self.w_o = cell.weight_ih.double().chunk(4)
        self.u_i, self.u_f, self.u_c, self.u_o = cell.weight_hh.double().chunk(4)
        self.b_i, self.b_f, self.b_c, self.b_o = (cell.bias_ih + cell.bias_hh).double().chunk(4)

    def __call__(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        def sigmoid(a: Tensor) -> Tensor:
            return 1 / (1 + torch.exp(-a))

        f = sigmoid(self.w_f @ x + self.u_f @ h + self.b_f)  # (1) the forget gate
        i = sigmoid(self.w_i @ x + self.u_i @ h + self.b_i)  # (2) the learn (input) gate
        candidate = torch.tanh(self.w_c @ x + self.u_c @ h + self.b_c)  # (3) what could be learned
        c = f * c + i * candidate  # (4) the remember gate: what is kept and what is new
        o = sigmoid(self.w_o @ x + self.u_o @ h + self.b_o)  # (5) the use (output) gate
        return o * torch.tanh(c), c  # (6) what is used of it


@pytest.fixture(scope="module")
def stepped() -> tuple[Recurrent, Tensor, Tensor, list[Tensor]]:
    """A stack with weights so large that gates open and close, its input [T, inputs], the equations' h [T, hidden] and state."""
    torch.manual_seed(0)
    net = Recurrent(INPUTS, HIDDEN, LAYERS).eval()
    with torch.no_grad():
        for weight in net.parameters():
            weight.mul_(3)
        cells = [SixEquations(cell) for cell in net.cells]
        x = torch.randn(STEPS, INPUTS)
        state = [torch.zeros(HIDDEN, dtype=torch.double) for _ in range(2 * LAYERS)]
        used = []
        for row in x.double():
            for layer, cell in enumerate(cells):
                row, state[2 * layer + 1] = cell(row, state[2 * layer], state[2 * layer + 1])
                state[2 * layer] = row
            used.append(row)
    return net, x, torch.stack(used), state


@torch.no_grad()
def test_the_streaming_face_steps_the_six_equations(stepped):
    net, x, expected, expected_state = stepped
    state = at_rest(LAYERS, HIDDEN)
    for t in range(STEPS):
        h, state = net.frame(x[t : t + 1], state)
        assert torch.allclose(h[0].double(), expected[t], atol=1e-5)
    for got, wanted in zip(flat(state), expected_state, strict=True):
        assert torch.allclose(got[0].double(), wanted, atol=1e-5)


@torch.no_grad()
def test_the_sequence_face_steps_the_six_equations(stepped):
    net, x, expected, expected_state = stepped
    h, (last_h, last_c) = net.sequence(x[None], net.initial_sequence_state(1))
    assert torch.allclose(h[0].double(), expected, atol=1e-5)
    assert torch.allclose(last_h[:, 0].double(), torch.stack(expected_state[0::2]), atol=1e-5)
    assert torch.allclose(last_c[:, 0].double(), torch.stack(expected_state[1::2]), atol=1e-5)
