"""A database that takes nothing more into a table."""

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
