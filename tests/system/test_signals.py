"""A signal that was ignored at the start stays ignored: `nohup noizestream play &` outlives its terminal."""

import os
import signal

import pytest

from noizestream.session.interrupts import SIGNALS, Interrupts
from noizestream.system.signals import answering, by_default
from noizestream.training.interrupt import stoppable


@pytest.fixture(params=SIGNALS)
def ignored(request):
    number = getattr(signal, request.param)
    before = signal.signal(number, signal.SIG_IGN)
    yield number
    signal.signal(number, before)


def test_a_performance_does_not_hear_what_is_ignored(ignored):
    with Interrupts() as interrupts:
        os.kill(os.getpid(), ignored)
        assert not interrupts.wait(0)
        assert signal.getsignal(ignored) is signal.SIG_IGN
    assert signal.getsignal(ignored) is signal.SIG_IGN


@pytest.mark.parametrize("name", SIGNALS)
def test_a_performance_hears_the_others(name):
    number = getattr(signal, name)
    before = signal.signal(number, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), Interrupts():
            os.kill(os.getpid(), number)
        with Interrupts() as interrupts:
            interrupts.gently()
            os.kill(os.getpid(), number)
            assert interrupts.wait(1.0)
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)


def test_a_training_in_the_background_does_not_hear_ctrl_c():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stoppable() as stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert not stop()
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_was_answered_before_is_answered_again_after_an_error():
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        with pytest.raises(ValueError), answering(lambda number, frame: heard.append(-number), "SIGTERM", "SIGNONE"):
            os.kill(os.getpid(), signal.SIGTERM)
            raise ValueError
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [-signal.SIGTERM, signal.SIGTERM]


def test_by_default_leaves_what_is_ignored(ignored):
    by_default(signal.Signals(ignored).name)
    assert signal.getsignal(ignored) is signal.SIG_IGN
    signal.signal(ignored, signal.default_int_handler)
    by_default(signal.Signals(ignored).name)
    assert signal.getsignal(ignored) is signal.SIG_DFL
