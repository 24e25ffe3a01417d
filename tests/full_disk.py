"""A table that takes no new rows, and files that cannot grow: what a full disk does to each."""

import resource
from contextlib import contextmanager

from django.db import OperationalError, connection


@contextmanager
def nothing_goes_into(table: str):
    """Make the database refuse each new row of `table`, inside the block and in this thread."""

    def full(execute, sql, *rest):
        if sql.startswith(f'INSERT INTO "{table}"'):
            raise OperationalError("database or disk is full")
        return execute(sql, *rest)

    with connection.execute_wrapper(full):
        yield


@contextmanager
def no_file_gets_longer_than(size: int):
    """Make the system refuse to let any file grow beyond `size` bytes, inside the block."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))
