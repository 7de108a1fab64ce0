import threading
import time

import pytest

from harness.store.turnstile import Turnstile


def _wait_until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        time.sleep(0.001)


def test_threads_are_served_in_the_order_they_came():
    turnstile, served = Turnstile(), []
    assert turnstile.enter(1)

    def visit(number: int) -> None:
        assert turnstile.enter(10)
        served.append(number)
        turnstile.leave()

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(20)]
    for place, thread in enumerate(threads, start=1):
        thread.start()
        _wait_until(lambda place=place: len(turnstile._waiting) == place)
    turnstile.leave()
    for thread in threads:
        thread.join(10)
    assert served == list(range(20))


def test_one_thread_at_a_time_is_inside():
    turnstile, inside, most = Turnstile(), [], []

    def visit() -> None:
        for _ in range(50):
            assert turnstile.enter(10)
            inside.append(1)
            most.append(len(inside))
            inside.pop()
            turnstile.leave()

    threads = [threading.Thread(target=visit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == [1] * 400


def test_who_gives_up_waiting_does_not_block_those_behind():
    turnstile, outcome = Turnstile(), {}
    assert turnstile.enter(1)
    impatient = threading.Thread(target=lambda: outcome.update(impatient=turnstile.enter(0.05)))
    impatient.start()
    _wait_until(lambda: len(turnstile._waiting) == 1)
    patient = threading.Thread(target=lambda: outcome.update(patient=turnstile.enter(10)))
    patient.start()
    impatient.join(10)
    turnstile.leave()
    patient.join(10)
    assert outcome == {"impatient": False, "patient": True}


def test_entering_twice_in_one_thread_is_an_error_and_not_a_deadlock():
    turnstile = Turnstile()
    assert turnstile.enter(1)
    with pytest.raises(RuntimeError, match="inside already"):
        turnstile.enter(1)
    turnstile.leave()
    assert turnstile.enter(0)
