"""Files that come with a form, on their way through the disk here."""

import logging
from contextlib import contextmanager, suppress

from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.utils.functional import cached_property

from hostup_dashboard.errors import storage_errors

logger = logging.getLogger(__name__)


def takes_files(view):
    """Mark a view that takes files of those who are signed in."""
    view.takes_files = True
    return view


def lacks_room(request) -> bool:
    """Tell whether a file of the form is missing, because there was no room for it on the disk here."""
    return getattr(request, "lacks_room", False)


class OnDisk(TemporaryFileUploadHandler):
    """Writes to the disk what of a form's files is too large for memory, for agents and views that take files.

    Anybody may send a form to any address, and it is read before it is known who they are: its CSRF token and its
    texts, which are given back to whoever was signed out meanwhile, but no files for the disk.
    """

    def new_file(self, *args, **kwargs):
        if not self._are_taken:
            raise SkipFile
        with self._room():
            super().new_file(*args, **kwargs)

    def receive_data_chunk(self, raw_data, start):
        with self._room():
            self.file.write(raw_data)
            self.file.flush()  # else its last bytes would fail where no file can be passed over any more

    @contextmanager
    def _room(self):
        """Pass over a file for which there is none: what fails while a form is read takes its texts with it."""
        try:
            yield
        except OSError as error:
            logger.error("no room for a file of a form: %s", error)
            self.request.lacks_room = True
            with suppress(AttributeError, OSError):  # there may be none; what did not fit would still be written
                self.file.close()
            raise SkipFile from None

    @cached_property
    def _are_taken(self) -> bool:
        match = self.request.resolver_match  # None before the address is resolved, or when none matches
        if not match or not getattr(match.func, "takes_files", False):
            return False
        try:
            return self.request.user.is_authenticated
        except storage_errors():  # which is said when the form has been read
            return False
