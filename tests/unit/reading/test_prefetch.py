"""Prefetch: chunks read in a thread come as they would without one."""

import threading

import pytest

from data_ingestion.reading import read_ahead


def test_chunks_come_in_their_order_read_by_another_thread():
    readers = set()

    def chunks():
        for number in range(1, 6):
            readers.add(threading.current_thread())
            yield number

    with read_ahead(chunks()) as coming:
        assert list(coming) == [1, 2, 3, 4, 5]
    assert len(readers) == 1
    assert threading.current_thread() not in readers


def test_an_error_comes_after_the_chunks_before_it():
    def chunks():
        yield 1
        raise OSError("the file breaks off")

    with read_ahead(chunks()) as coming:
        assert next(coming) == 1
        with pytest.raises(OSError, match="breaks off"):
            next(coming)


def test_nothing_is_read_any_more_once_it_is_left():
    is_open, read = True, []

    def chunks():
        while True:
            read.append(is_open)
            yield 1

    with pytest.raises(ZeroDivisionError), read_ahead(chunks()) as coming:
        next(coming)
        raise ZeroDivisionError
    is_open = False
    assert all(read)
    assert len(read) <= 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("reader")]
