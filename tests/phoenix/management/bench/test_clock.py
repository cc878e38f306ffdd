"""Times are processor times, and contestants take turns."""

import gc
import time

from phoenix.management.bench.clock import cpu_ms, in_turn, still_heap


def busy(seconds):
    ending = time.process_time() + seconds
    while time.process_time() < ending:
        pass


def test_waiting_costs_nothing_and_work_does():
    assert cpu_ms(lambda: time.sleep(0.1)) < 50
    assert cpu_ms(lambda: busy(0.06)) >= 60


def test_contestants_take_turns_and_medians_are_returned():
    order = []

    found = in_turn({"one": lambda: order.append("one"), "other": lambda: (order.append("other"), busy(0.02))}, rounds=3)

    assert order == ["one", "other"] * 3
    assert list(found) == ["one", "other"]
    assert found["other"] >= 20 > found["one"]


def test_the_heap_is_still_while_measuring_and_is_given_back():
    with still_heap():
        assert gc.get_freeze_count() > 1_000

    assert gc.get_freeze_count() == 0
