import os
import threading

import pytest

from timbrelib.audio.parallel import in_threads, thread_count


@pytest.mark.parametrize("limit", ["1", "3"])
def test_a_limit_of_threads_is_obeyed(monkeypatch, limit):
    monkeypatch.setenv("OMP_NUM_THREADS", limit)
    assert thread_count() == int(limit)
    threads = set(in_threads(lambda _: threading.get_ident(), range(40)))
    assert len(threads) <= int(limit)
    assert (threading.get_ident() in threads) == (limit == "1")


@pytest.mark.parametrize("limit", ["", "0", "-1", "many"])
def test_without_a_limit_there_are_as_many_threads_as_processors(monkeypatch, limit):
    monkeypatch.setenv("OMP_NUM_THREADS", limit)
    assert thread_count() == os.cpu_count()


@pytest.mark.parametrize("limit", ["1", "2"])
def test_results_come_in_the_order_of_the_items(monkeypatch, limit):
    monkeypatch.setenv("OMP_NUM_THREADS", limit)
    assert list(in_threads(lambda number: number**2, range(100))) == [number**2 for number in range(100)]
