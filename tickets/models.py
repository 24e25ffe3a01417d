"""What HostUp does not keep: each agent's encrypted API key, and who did what."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets import crypto


class ApiKey(models.Model):
    """An agent's HostUp API key: encrypted, with what is known of it without decrypting."""

    class Unreadable(Exception):
        """The stored key cannot be decrypted with the present `ENCRYPTION_KEYS`; it has to be saved again."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="api_key"
    )
    token = models.TextField()
    last_four = models.CharField(max_length=4)
    can_write = models.BooleanField(null=True)
    can_read_departments = models.BooleanField(null=True)
    departments = models.JSONField(default=dict)  # slug to name, as this key sees them
    saved_at = models.DateTimeField(default=timezone.now)
    checked_at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"key ending in {self.last_four}"

    def encrypt(self, clear: str) -> None:
        """Put the key `clear` into this row (which still has to be saved)."""
        self.token = crypto.encrypt(clear, owner=self._owner)
        self.last_four = clear[-4:]

    def decrypt(self) -> str:
        """Return the key in clear. Raises `ApiKey.Unreadable`."""
        try:
            return crypto.decrypt(self.token, owner=self._owner)
        except crypto.Unreadable:
            raise self.Unreadable from None

    @property
    def is_under_current_key(self) -> bool:
        return crypto.kid_of(self.token) == crypto.current_kid()

    @property
    def _owner(self) -> str:
        return f"user {self.user_id}"


class ActivityQuerySet(models.QuerySet):
    def begin(self, user, action: str, *, ticket_id: str = "", from_status: str = "") -> "Activity":
        """Write down what is about to be tried. Until `finish` is called its outcome is unknown: a crash in
        between leaves the log telling the truth."""
        return self.create(user=user, action=action, ticket_id=ticket_id, from_status=from_status)


class Activity(models.Model):
    """One thing that an agent did, or tried to do."""

    class Action(models.TextChoices):
        REOPEN = "reopen", _("Reopen ticket")
        CLOSE = "close", _("Close ticket")
        KEY_SAVED = "key_saved", _("Save API key")
        KEY_CHECKED = "key_checked", _("Check API key")
        KEY_REMOVED = "key_removed", _("Remove API key")

    class Outcome(models.TextChoices):
        UNKNOWN = "unknown", _("Unknown")
        DONE = "done", _("Done")
        ALREADY = "already", _("No change needed")
        NOT_DONE = "not_done", _("Not done")
        REFUSED = "refused", _("Refused")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="activities")
    action = models.CharField(max_length=20, choices=Action)
    ticket_id = models.CharField(max_length=64, blank=True)
    ticket_number = models.CharField(max_length=20, blank=True)
    from_status = models.CharField(max_length=40, blank=True)
    to_status = models.CharField(max_length=40, blank=True)
    outcome = models.CharField(max_length=20, choices=Outcome, default=Outcome.UNKNOWN)
    code = models.CharField(max_length=100, blank=True)
    request_id = models.CharField(max_length=100, blank=True)
    started_at = models.DateTimeField(default=timezone.now, db_index=True)
    finished_at = models.DateTimeField(null=True)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at", "-pk"]
        indexes = [models.Index(fields=["ticket_id", "-started_at"])]

    def __str__(self):
        return f"{self.action} {self.ticket_id} {self.outcome}"

    def finish(self, outcome: str, *, ticket=None, error=None) -> None:
        """Write down what came of it: the ticket as it is now, the error that HostUp answered, or both."""
        self.outcome = outcome
        if ticket:
            self.ticket_id, self.ticket_number = ticket.id, str(ticket.number)[:20]
            self.to_status = ticket.status[:40]
        if error:
            self.code, self.request_id = error.code[:100], error.request_id[:100]
        self.finished_at = timezone.now()
        self.save()
