"""Turns of threads that write."""

from __future__ import annotations

import threading

import pytest

from b24app.store.database import Turns


def test_a_thread_that_asks_again_at_once_goes_behind_those_who_wait() -> None:
    turns, order = Turns(), list[str]()

    def callback(name: str) -> None:
        with turns:
            order.append(name)

    turns.__enter__()
    waiting = [threading.Thread(target=callback, args=(name,)) for name in ("first", "second")]
    for number, thread in enumerate(waiting, start=1):
        thread.start()
        while len(turns.waiting) < number:
            thread.join(0.001)
    turns.__exit__()
    with turns:
        order.append("the worker again")
    for thread in waiting:
        thread.join(10)

    assert order == ["first", "second", "the worker again"]


def test_a_turn_ends_with_an_error_too() -> None:
    turns = Turns()
    for _ in range(2):
        with pytest.raises(LookupError), turns:
            raise LookupError
    with turns:
        assert not turns.waiting
