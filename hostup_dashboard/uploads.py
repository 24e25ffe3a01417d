"""Files that come with a form, on their way through the disk here."""

from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.utils.functional import cached_property

from hostup_dashboard.errors import storage_errors


def takes_files(view):
    """Mark a view that takes files of those who are signed in."""
    view.takes_files = True
    return view


class OnDisk(TemporaryFileUploadHandler):
    """Keeps the files of a form that is too large for memory, where somebody is to have them.

    Anybody may send a form to any address, and it is read before it is known who they are: its CSRF token and its
    texts, which are given back to whoever was signed out meanwhile, but no files.
    """

    def new_file(self, *args, **kwargs):
        if not self._are_taken:
            raise SkipFile
        super().new_file(*args, **kwargs)

    @cached_property
    def _are_taken(self) -> bool:
        match = self.request.resolver_match  # None as long as, or because, no address was found
        if not match or not getattr(match.func, "takes_files", False):
            return False
        try:
            return self.request.user.is_authenticated
        except storage_errors():  # which is said when the form has been read
            return False
