"""Files that come with a form, on their way through the server's disk."""

import logging
from contextlib import contextmanager, suppress

from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.utils.functional import cached_property

from hostup_dashboard.errors import storage_errors

logger = logging.getLogger(__name__)


def takes_files(view):
    """Mark a view that takes files from agents who are signed in."""
    view.takes_files = True
    return view


def lacks_room(request) -> bool:
    """Tell whether a file of the form is missing because the server's disk had no room for it."""
    return getattr(request, "lacks_room", False)


class OnDisk(TemporaryFileUploadHandler):
    """Writes a form's files to the disk if they are too large for memory, for agents and views that take files.

    Anybody can send a form to any address, and it is read before we know who sent it: for its CSRF token, and for
    its texts, which an agent who was signed out meanwhile gets back. Files from others do not get onto the disk.
    """

    def new_file(self, *args, **kwargs):
        if not self._are_taken:
            raise SkipFile
        with self._room():
            super().new_file(*args, **kwargs)

    def receive_data_chunk(self, raw_data, start):
        with self._room():
            self.file.write(raw_data)
            self.file.flush()  # otherwise the last bytes could fail later, where a file cannot be skipped any more

    @contextmanager
    def _room(self):
        """Skip a file for which there is no room. An error while the form is read would lose its texts as well."""
        try:
            yield
        except OSError as error:
            logger.error("no room for a file of a form: %s", error)
            self.request.lacks_room = True
            with suppress(AttributeError, OSError):  # there may be no file; closing it tries once more to write
                self.file.close()
            raise SkipFile from None

    @cached_property
    def _are_taken(self) -> bool:
        match = self.request.resolver_match  # None before the address is resolved, or when none matches
        if not match or not getattr(match.func, "takes_files", False):
            return False
        try:
            return self.request.user.is_authenticated
        except storage_errors():  # reported once the form has been read
            return False
