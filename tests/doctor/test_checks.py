"""What `noizestream doctor` says of torch, which it asks in a process of its own."""

from noizestream.doctor.checks import BROKEN, torch_works


def test_the_program_that_asks_torch_runs():
    found = {finding.name: finding for finding in torch_works()}
    assert {"torch", "int8 kernels"} <= found.keys()
    assert all(finding.level != BROKEN for finding in found.values()), found
