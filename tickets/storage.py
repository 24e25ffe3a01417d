"""What happens if the database or the cache cannot store something: before HostUp is asked, and after.

Before: nothing is sent that has not been written down. After, or if it matters little: what is true at HostUp
stays true, so the answer goes out, and the process's log says what is missing.
"""

import logging
from contextlib import contextmanager

from django.db import Error as DatabaseError

from hostup_dashboard.errors import storage_errors

logger = logging.getLogger(__name__)


class NothingSent(Exception):
    """HostUp was not asked, because what has to be written before that could not be."""


@contextmanager
def before_sending():
    """Write what has to be written before a call. Raises `NothingSent` if the database cannot."""
    try:
        yield
    except DatabaseError as error:
        logger.exception("not written, so nothing was sent to HostUp")
        raise NothingSent from error


@contextmanager
def if_possible(what: str):
    """Write (or read) `what`, and go on without it when the database or the cache does not work."""
    try:
        yield
    except storage_errors() as error:
        logger.error("going on without %s: %s", what, error)
