"""Django's SQLite, with connections that can be kept (`CONN_MAX_AGE`)."""

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Say no: Django asks after an error, and a connection whose file is gone or broken must not be kept.
        Its own answer is always yes."""
        return False
