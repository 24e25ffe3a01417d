"""What HostUp does not keep: agents' API keys, drafts and second steps (encrypted), sent forms, who did what."""

import json
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets import crypto, storage
from tickets.hostup import errors

DRAFT_LIFE = timedelta(days=14)
SUBMISSION_LIFE = timedelta(days=30)  # a form left open for longer than this may be sent again as a new one
ACTIVITY_LIFE = timedelta(days=400)  # a year, and time to look at it
MOMENTS = timedelta(seconds=5)  # longer than the `GRAIN` of HostUp's times (hostup/clock.py)


def forget_old() -> None:
    """Delete what has outlived its use, for all agents."""
    now = timezone.now()
    Draft.objects.filter(updated_at__lt=now - DRAFT_LIFE).delete()
    Submission.objects.filter(started_at__lt=now - SUBMISSION_LIFE).delete()
    Activity.objects.filter(started_at__lt=now - ACTIVITY_LIFE).delete()


class Encrypted(models.Model):
    """A row that holds one secret, encrypted so that no other row can decrypt it."""

    Unreadable = crypto.Unreadable  # the same for all: its handlers know what was read

    token = models.TextField()

    class Meta:
        abstract = True

    def __str__(self):
        return self.owner

    def encrypt(self, clear: str) -> None:
        """Put the secret `clear` into this row (which still has to be saved)."""
        self.token = crypto.encrypt(clear, owner=self.owner)

    def decrypt(self) -> str:
        """Return the secret in clear. Raises `Encrypted.Unreadable`."""
        return crypto.decrypt(self.token, owner=self.owner)

    @property
    def owner(self) -> str:
        """Return what the secret is bound to; no other row may have the same."""
        raise NotImplementedError

    @property
    def is_under_current_key(self) -> bool:
        return crypto.kid_of(self.token) == crypto.current_kid()


class ApiKey(Encrypted):
    """An agent's HostUp API key, with what is known about it without decrypting."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="api_key"
    )
    last_four = models.CharField(max_length=4)
    can_write = models.BooleanField(null=True)
    can_read_departments = models.BooleanField(null=True)
    departments = models.JSONField(default=dict)  # slug to name, as this key sees them
    department_descriptions = models.JSONField(default=dict)  # slug to what HostUp says about it
    departments_at = models.DateTimeField(null=True)  # when HostUp was asked for them
    saved_at = models.DateTimeField(default=timezone.now)
    checked_at = models.DateTimeField(default=timezone.now)

    def encrypt(self, clear: str) -> None:
        super().encrypt(clear)
        self.last_four = clear[-4:]

    def keep(self, *fields: str) -> None:
        """Save only what was found out about the key. It may have been removed, replaced or rotated meanwhile, and
        `save` would bring the old one back."""
        same = ApiKey.objects.filter(pk=self.pk, saved_at=self.saved_at)
        same.update(**{field: getattr(self, field) for field in fields})

    @property
    def owner(self) -> str:
        return f"API key of user {self.user_id}"


class SecondStepManager(models.Manager):
    def get_queryset(self):
        """Return the rows that hold a secret. Passkeys are left out: what is kept of them is public."""
        return super().get_queryset().filter(type__in=SecondStep.SECRETS)


class SecondStep(Authenticator):
    """An agent's authenticator app or recovery codes, as allauth keeps them, with the secret in them encrypted.

    The secret is not bound to its row: anyone who can write to this table could just as well delete the row.
    """

    class Unreadable(Exception):
        """The secret cannot be decrypted with the present `ENCRYPTION_KEYS`."""

    SECRETS = {Authenticator.Type.TOTP: "secret", Authenticator.Type.RECOVERY_CODES: "seed"}  # in `data`
    SEALED_FOR = "second step"

    objects = SecondStepManager()

    class Meta:
        proxy = True
        verbose_name_plural = "second steps"

    @classmethod
    def seal(cls, clear: str) -> str:
        """Return the token to keep in place of the secret `clear`."""
        return crypto.encrypt(clear, owner=cls.SEALED_FOR)

    @classmethod
    def unseal(cls, token: str) -> str:
        """Return the secret in clear. Raises `SecondStep.Unreadable`."""
        try:
            return crypto.decrypt(token, owner=cls.SEALED_FOR)
        except crypto.Unreadable:
            raise cls.Unreadable from None

    @property
    def token(self) -> str:
        return self.data[self.SECRETS[self.type]]

    def encrypt(self, clear: str) -> None:
        """Put the secret `clear` into this row (which still has to be saved)."""
        self.data[self.SECRETS[self.type]] = self.seal(clear)

    def decrypt(self) -> str:
        """Return the secret in clear. Raises `SecondStep.Unreadable`."""
        return self.unseal(self.token)

    def __str__(self):
        return f"{self.type} of user {self.user_id}"

    is_under_current_key = Encrypted.is_under_current_key


class Canary(Encrypted):
    """One row that every process must be able to read. It exposes a process with different `ENCRYPTION_KEYS`
    before anybody has saved anything."""

    class Meta:
        verbose_name_plural = "canaries"

    @classmethod
    def verify(cls) -> None:
        """Read the row. If there is none, write it, but only if every other secret can be read: otherwise the
        wrong keys would count as the right ones from then on. Raises an `Unreadable`."""
        canary = cls.objects.first()
        if canary is None:
            for model in HOLDERS_OF_SECRETS:
                for row in model.objects.iterator():
                    row.decrypt()
            canary = cls()
            canary.encrypt("readable")
            canary = cls.objects.get_or_create(pk=1, defaults={"token": canary.token})[0]
        canary.decrypt()

    @classmethod
    def begin(cls, apps=apps, **kwargs) -> None:
        """Write the row into a database that has no secrets yet; receives `post_migrate`."""
        try:
            holders = [apps.get_model("tickets", model.__name__) for model in HOLDERS_OF_SECRETS]
        except LookupError:  # migrated to a state before these models
            return
        if not any(holder.objects.exists() for holder in holders):
            cls.verify()

    @property
    def owner(self) -> str:
        return "canary"


class DraftQuerySet(models.QuerySet):
    def of(self, user, ticket_id: str) -> dict:
        """Return the fields of the agent's draft for a ticket ("" for a new one) and, as `shown_draft`, when it
        was kept; {} when there is none.

        A draft that can no longer be read or decrypted counts as none: the agent could do nothing about it.
        """
        draft = None
        with storage.if_possible("the draft"):
            alive = self.filter(updated_at__gte=timezone.now() - DRAFT_LIFE)
            draft = alive.filter(user=user, ticket_id=ticket_id).first()
        try:
            return json.loads(draft.decrypt()) | {"shown_draft": draft.updated_at} if draft else {}
        except Draft.Unreadable:
            return {}

    def ticket_ids(self, user) -> set[str]:
        """Return the ids of the tickets that the agent has a draft for."""
        with storage.if_possible("the marks of drafts"):
            # Raw SQL takes 0.1 ms instead of 0.4, on every page (see session_store.py).
            alive = "SELECT id, ticket_id FROM tickets_draft WHERE user_id = %s AND updated_at >= %s"
            return {draft.ticket_id for draft in self.raw(alive, [user.pk, timezone.now() - DRAFT_LIFE])}
        return set()

    def keep(
        self,
        user,
        ticket_id: str,
        fields: dict,
        *,
        form: uuid.UUID | None = None,
        turn: int = 0,
        shown_draft: datetime | None = None,
    ) -> None:
        """Keep what an agent has written so far in `form`. If that is nothing, forget what was written in it
        before, and the draft that it showed, which was kept at `shown_draft`.

        Requests can overtake each other: of two saves from one `form`, the one with the higher `turn` wins, even
        if it comes first. Equal turns carry the same text, unless they are 0 (unknown). An emptied draft leaves no
        turn behind, so an older save that comes after it brings the text back.
        """
        older = self.filter(user=user, ticket_id=ticket_id).exclude(form=form, turn__gte=turn or 1)
        if not fields:
            older.forget(user, ticket_id, form=form, turn=turn, shown_draft=shown_draft)
            return
        draft = Draft(user=user, ticket_id=ticket_id)
        draft.encrypt(json.dumps(fields))
        values = {"token": draft.token, "updated_at": draft.updated_at, "form": form, "turn": turn}
        _draft, is_new = self.get_or_create(user=user, ticket_id=ticket_id, defaults=values)
        if not (is_new or older.update(**values)):  # there is a newer one, or none any more
            self.get_or_create(user=user, ticket_id=ticket_id, defaults=values)

    def forget(
        self, user, ticket_id: str, *, form: uuid.UUID | None, turn: int, shown_draft: datetime | None = None
    ) -> None:
        """Forget what an agent wrote in `form` up to `turn`, and the draft that it showed, which was kept at
        `shown_draft`: it has been sent, or emptied. What was written later, or in another form (in a second tab,
        on a phone), stays."""
        gone = Q(form=form, turn__lte=turn) | Q(form=None)
        if shown_draft:
            gone |= Q(updated_at__lte=shown_draft)
        self.filter(gone, user=user, ticket_id=ticket_id).delete()


class Draft(Encrypted):
    """What an agent has written and not sent: the fields of a reply or of a new ticket."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts")
    ticket_id = models.CharField(max_length=64, blank=True)
    form = models.UUIDField(null=True)  # the page or box that it was written in, by its token
    turn = models.PositiveBigIntegerField(db_default=0)  # of the last change typed there, counted by writing.js
    updated_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = DraftQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "ticket_id"], name="one_draft_a_ticket")]

    @property
    def owner(self) -> str:
        return f"draft of user {self.user_id} for {self.ticket_id}"


class SubmissionQuerySet(models.QuerySet):
    def claim(self, token, user, digest: str, turn: int) -> tuple["Submission", bool]:
        """Claim the right to send the form `token`, which only one press, tab or process can have at a time.
        `turn` is that of the last change typed before the press.

        Returns the submission and whether this call got the right. The right can be claimed again only once it is
        known that nothing was sent. Raises `storage.NothingSent`.
        """
        with storage.before_sending():
            first = {"user": user, "digest": digest, "turn": turn}
            submission, taken = self.get_or_create(token=token, defaults=first)
            if not taken and submission.user_id == user.pk and submission.state == Submission.State.NOT_SENT:
                again = self.filter(pk=submission.pk, state=Submission.State.NOT_SENT)
                sending = {"state": Submission.State.SENDING, "started_at": timezone.now()}
                taken = bool(again.update(**sending, digest=digest, turn=turn))
                submission.refresh_from_db()  # as this press or another one left it
        return submission, taken

    def pressed(self, token, user) -> "Submission | None":
        """Return the submission of the agent's form `token`, None if it was never pressed or is known not to have
        been sent. Raises `storage.NothingSent`."""
        with storage.before_sending():
            return self.filter(token=token, user=user).exclude(state=Submission.State.NOT_SENT).first()

    def twin_of(self, submission: "Submission", *, since: datetime) -> "Submission | None":
        """Return the agent's last other submission of the same text, pressed after `since` and before this one.
        Leave out those that are known not to have been sent. Raises `storage.NothingSent`."""
        with storage.before_sending():
            pressed = self.filter(user=submission.user, digest=submission.digest).exclude(pk=submission.pk)
            between = pressed.filter(started_at__range=(since, submission.started_at))
            return between.exclude(state=Submission.State.NOT_SENT).order_by("started_at").last()

    def went_out_with(self, user, *, form: uuid.UUID | None, turn: int) -> bool:
        """Tell whether what the agent had typed in `form` at `turn` has been sent. Text typed after the press has
        not: an agent may go on typing because the answer got lost on the way to the browser."""
        return self.filter(token=form, user=user, state=Submission.State.SENT, turn__gte=turn).exists()


class Submission(models.Model):
    """One form that may be sent once: a reply, or a new ticket. Created when its button is pressed."""

    class State(models.TextChoices):
        SENDING = "sending"
        SENT = "sent"
        NOT_SENT = "not_sent"
        UNKNOWN = "unknown"

    token = models.UUIDField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="submissions")
    digest = models.CharField(max_length=64)  # of what was sent, to tell a changed text from the same one
    state = models.CharField(max_length=10, choices=State, default=State.SENDING)
    ticket_id = models.CharField(max_length=64, blank=True)  # of the ticket that it created
    turn = models.PositiveBigIntegerField(db_default=0)  # of the last change typed before the press
    started_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = SubmissionQuerySet.as_manager()

    def __str__(self):
        return f"{self.token} {self.state}"

    def end(self, state: str, *, ticket_id: str = "") -> None:
        """Save what became of the form. If that fails it stays SENDING, and so is never sent again."""
        self.state, self.ticket_id = state, ticket_id
        with storage.if_possible(f"the end of the form {self.token}"):
            self.save(update_fields=["state", "ticket_id"])


class ActivityQuerySet(models.QuerySet):
    def begin(
        self, user, action: str, *, ticket_id: str = "", ticket_number: str = "", from_status: str = ""
    ) -> "Activity":
        """Log what is about to be tried. Its outcome is unknown until `finish` is called, so the log is true even
        after a crash in between. Raises `storage.NothingSent`."""
        names = {"ticket_id": ticket_id, "ticket_number": ticket_number[:20]}
        with storage.before_sending():
            return self.create(user=user, action=action, from_status=from_status[:40], **names)

    def note(
        self, user, action: str, outcome: str = "done", *, about=None, address: str | None = None
    ) -> "Activity":
        """Log what has happened, in one finished entry.

        `user` is the agent who did it, None if unknown; `about` is the agent it was done to, if another; `address`
        is where the request came from.
        """
        now = timezone.now()
        times = {"started_at": now, "finished_at": now}
        return self.create(user=user, action=action, outcome=outcome, about=about, address=address, **times)

    def visible_to(self, user) -> "ActivityQuerySet":
        """Return the entries that `user` may see: the team's work, and account entries by or about `user`. Staff
        see everything."""
        if user.is_staff:
            return self.all()
        return self.filter(Q(action__in=Activity.SHARED) | Q(user=user) | Q(about=user))

    def about_ticket(self, name: str) -> "ActivityQuerySet":
        """Return the entries about a ticket, given its id or number. An entry about a failure has only the one
        that was in the agent's address."""
        named = self.filter(Q(ticket_id=name) | Q(ticket_number=name)).order_by()
        names = {name}.union(*named.values_list("ticket_id", "ticket_number").distinct()) - {""}
        return self.filter(Q(ticket_id__in=names) | Q(ticket_number__in=names))

    def was_just_done(self, activity: "Activity", *, among: list[str], since: datetime | None) -> bool:
        """Tell whether the last other action on this ticket, of those in `among`, was the same one, done here
        moments ago: by an earlier press, or by a colleague. HostUp's clock, in whole seconds, cannot tell it from
        this one. `since` is when the page with the pressed button was read, if known; what was done before does
        not count. Raises `storage.NothingSent`."""
        name = "ticket_number" if activity.ticket_id.isdigit() else "ticket_id"
        tried = self.filter(**{name: activity.ticket_id}, action__in=among)
        with storage.before_sending():
            last = tried.exclude(pk=activity.pk).order_by("-started_at").first()
        return bool(
            last
            and last.action == activity.action
            and last.outcome in (Activity.Outcome.DONE, Activity.Outcome.ALREADY)
            and timedelta() <= activity.started_at - last.finished_at <= MOMENTS
            and (since is None or since < last.finished_at)
        )

    def ticket_numbers(self, ticket_ids: Iterable[str]) -> dict[str, str]:
        """Return the tickets' numbers by id, for those whose number is in any entry."""
        known = self.filter(ticket_id__in=ticket_ids).exclude(ticket_number="").order_by()
        return dict(known.values_list("ticket_id", "ticket_number").distinct())


class Activity(models.Model):
    """One thing that somebody did, or tried to do."""

    class Action(models.TextChoices):
        REOPEN = "reopen", _("Reopen ticket")
        CLOSE = "close", _("Close ticket")
        REPLY = "reply", _("Reply")
        CREATE = "create", _("New ticket")
        UPLOAD = "upload", _("Attach file")
        KEY_SAVED = "key_saved", _("Save API key")
        KEY_CHECKED = "key_checked", _("Check API key")
        KEY_REMOVED = "key_removed", _("Remove API key")
        SIGNED_IN = "signed_in", _("Sign in")
        SIGNED_OUT = "signed_out", _("Sign out")
        DENIED = "denied", _("Do something not allowed")
        FORGED = "forged", _("Send a form that is not ours")
        PASSWORD_CHANGED = "password_changed", _("Change password")
        SECOND_STEP_ADDED = "second_step_added", _("Add second step")
        SECOND_STEP_REMOVED = "second_step_removed", _("Remove second step")
        SECOND_STEP_FAILED = "second_step_failed", _("Enter second step")
        RECOVERY_CODES_MADE = "recovery_codes_made", _("Make recovery codes")
        RECOVERY_CODE_USED = "recovery_code_used", _("Use a recovery code")
        SECOND_STEP_RESET = "second_step_reset", _("Reset second step")
        AGENT_CREATED = "agent_created", _("Create agent")
        AGENT_INVITED = "agent_invited", _("Make password link")
        AGENT_DISABLED = "agent_disabled", _("Disable agent")
        AGENT_ENABLED = "agent_enabled", _("Enable agent")

    class Outcome(models.TextChoices):
        UNKNOWN = "unknown", _("Unknown")
        DONE = "done", _("Done")
        ALREADY = "already", _("No change needed")
        NOT_DONE = "not_done", _("Not done")
        REFUSED = "refused", _("Refused")

        @classmethod
        def of(cls, error: errors.HostUpError) -> "Activity.Outcome":
            """Return what an error means for the log, until somebody has checked what became of the call."""
            match error:
                case errors.OutcomeUnknown():
                    return cls.UNKNOWN
                case errors.Unavailable() | errors.Unreadable():
                    return cls.NOT_DONE
            return cls.REFUSED

    # What every agent may see of every other: the team's work. The rest is about accounts.
    SHARED = (
        Action.REOPEN,
        Action.CLOSE,
        Action.REPLY,
        Action.CREATE,
        Action.UPLOAD,
        Action.KEY_SAVED,
        Action.KEY_CHECKED,
        Action.KEY_REMOVED,
    )

    # None for a failed sign-in under a name that no agent has. That name is not kept: people type passwords there.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="activities"
    )
    about = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    address = models.GenericIPAddressField(null=True)
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
        indexes = [
            models.Index(fields=["ticket_id", "-started_at"]),
            models.Index(fields=["ticket_number"]),
        ]

    def __str__(self):
        return f"{self.action} {self.ticket_id} {self.outcome}"

    def finish(self, outcome: str, *, ticket=None, error=None) -> None:
        """Log the outcome, with the ticket as it is now, the error on the way, or both.

        If that fails, the outcome stays unknown in the log; what was done is done all the same.
        """
        self.outcome = outcome
        if ticket:
            self.ticket_id, self.ticket_number = ticket.id, str(ticket.number)[:20]
            self.to_status = ticket.status[:40]
        if error:
            self.code, self.request_id = error.code[:100], error.request_id[:100]
        self.finished_at = timezone.now()
        with storage.if_possible(f"the outcome of activity {self.pk} ({self}) in the log"):
            self.save()


# What is rotated and checked as a whole.
HOLDERS_OF_SECRETS = (ApiKey, Draft, SecondStep, Canary)
