"""Engine errors on their way out: the kind and the place, never a value."""

import os
import signal
import threading

import duckdb
import pytest

from pipelines.engine import connect
from pipelines.errors import SourceError, StoreError, without_engine_text


def test_the_text_of_the_engine_is_not_passed_on() -> None:
    with pytest.raises(StoreError) as caught, without_engine_text("the sum"):
        duckdb.execute("SELECT CAST('SECRET' AS INTEGER)")
    assert str(caught.value) == "the sum: the engine stopped with ConversionException."
    assert caught.value.__suppress_context__


def test_running_out_of_memory_says_what_to_do() -> None:
    connection = connect("20MB", 1)
    with pytest.raises(SourceError, match="Raise the limit"), without_engine_text("the sort", SourceError):
        connection.execute("CREATE TABLE t AS SELECT range AS i, repeat('x', 100) FROM range(2000000) ORDER BY hash(i)")


def test_ctrl_c_while_the_engine_computes_is_an_interruption() -> None:
    connection = connect("100MB", 1)
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt), without_engine_text("the sum"):
        connection.execute("SELECT sum(sqrt(range)) FROM range(100000000000)")
    timer.join()


def test_other_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="elsewhere"), without_engine_text("the sum"):
        raise RuntimeError("elsewhere")
