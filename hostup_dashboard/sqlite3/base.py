"""Django's SQLite, with connections that can be kept (`CONN_MAX_AGE`), and to which Åsa and åsa are the same."""

from django.db.backends.sqlite3 import base, operations


class DatabaseOperations(operations.DatabaseOperations):
    """`__iexact` as on PostgreSQL. Django uses SQLite's LIKE, which ignores case only for A to Z."""

    def lookup_cast(self, lookup_type, internal_type=None):
        cast = super().lookup_cast(lookup_type, internal_type)
        return f"UNICODE_UPPER({cast})" if lookup_type == "iexact" else cast

    def prep_for_iexact_query(self, x):
        return x


class DatabaseWrapper(base.DatabaseWrapper):
    operators = base.DatabaseWrapper.operators | {"iexact": "= UNICODE_UPPER(%s)"}
    ops_class = DatabaseOperations

    def get_new_connection(self, conn_params):
        connection = super().get_new_connection(conn_params)
        connection.create_function("UNICODE_UPPER", 1, _upper, deterministic=True)
        return connection

    def is_usable(self) -> bool:
        """Return False: Django asks after an error, and a connection whose file is gone or broken must not be
        kept. Django's own answer is always True."""
        return False


def _upper(value):
    return None if value is None else str(value).upper()
