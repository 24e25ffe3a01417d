"""A database that takes nothing more into a table, a disk that takes nothing more of a file."""

import resource
from contextlib import contextmanager

from django.db import OperationalError, connection


@contextmanager
def nothing_goes_into(table: str):
    """Have the database refuse each new row of `table`, inside the block and in this thread."""

    def full(execute, sql, *rest):
        if sql.startswith(f'INSERT INTO "{table}"'):
            raise OperationalError("database or disk is full")
        return execute(sql, *rest)

    with connection.execute_wrapper(full):
        yield


@contextmanager
def no_file_gets_longer_than(size: int):
    """Have the system refuse what goes beyond `size` bytes into any file, inside the block."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))
