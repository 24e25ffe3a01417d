"""What agents fill in."""

import re

from django import forms
from django.core.validators import RegexValidator, validate_email
from django.utils.translation import gettext_lazy as _

from tickets import words
from tickets.hostup.client import ATTACHMENT_MOST_BYTES
from tickets.sending import MOST_FILES
from tickets.shown import plain

LONGEST_MESSAGE = 100_000  # characters; HostUp does not document a limit, and Django reads 2.5 MB at most
# HostUp does not document which files it takes, but no support team wants to be mailed a program. `.com` and `.js`
# are not refused: a zone file is named after its domain, and a ticket may be about a script.
REFUSED_ENDINGS = (".exe", ".bat", ".cmd", ".msi", ".scr", ".vbs", ".ps1", ".jar", ".lnk", ".hta")


def file_problem(file) -> str:
    """Return why one of Django's uploaded files cannot be sent to HostUp, "" when it can."""
    if file.size > ATTACHMENT_MOST_BYTES:
        return _("%(name)s is larger than 25 MB.") % {"name": file.name}
    if file.name.lower().endswith(REFUSED_ENDINGS):
        return _("%(name)s is a program. Programs cannot be sent.") % {"name": file.name}
    return ""


class FilesField(forms.FileField):
    """Up to `MOST_FILES` files, each checked."""

    class Widget(forms.FileInput):
        allow_multiple_selected = True

    widget = Widget

    def clean(self, data, initial=None):
        files = data or []
        if len(files) > MOST_FILES:
            raise forms.ValidationError(_("At most %(count)s files at a time.") % {"count": MOST_FILES})
        problems = [problem for file in files if (problem := file_problem(file))]
        if problems:
            raise forms.ValidationError(problems)
        return files


class TextField(forms.CharField):
    default_error_messages = {
        "max_length": _("Too long: %(show_value)s characters, and at most %(limit_value)s can be sent."),
    }


class MessageField(TextField):
    """A text as it was typed, with LF at the end of its lines: browsers send CR LF."""

    default_error_messages = {"required": _("Write something before you send it.")}

    def __init__(self, **options):
        super().__init__(max_length=LONGEST_MESSAGE, strip=False, **options)

    def to_python(self, value):
        return super().to_python(value).replace("\r\n", "\n")

    def clean(self, value):
        message = super().clean(value)
        if not message.strip():
            raise forms.ValidationError(self.error_messages["required"])
        return message


class ReplyForm(forms.Form):
    """A reply, and what its agent had on the screen while writing it. Its fields are drawn by _composer.html."""

    token = forms.UUIDField()
    seen_message = forms.CharField(max_length=64, required=False)
    seen_count = forms.IntegerField(min_value=0, required=False)
    seen_status = forms.CharField(required=False, strip=False)  # HostUp's own text, of any length
    message = MessageField()
    encrypted = forms.BooleanField(required=False)
    files = FilesField(required=False)

    WRITTEN, CHOSEN = ("message",), ("encrypted",)  # what is kept as a draft


class NewTicketForm(forms.Form):
    """A new ticket. HostUp decides whether it is valid; this form checks only what can be known without a call."""

    use_required_attribute = False  # a browser's own messages are in its language, one field at a time

    token = forms.UUIDField()
    department = forms.CharField(
        max_length=64,
        widget=forms.Select,
        label=_("Department"),
        error_messages={"required": _("Choose a department.")},
    )
    subject = TextField(
        max_length=255,
        widget=forms.TextInput(attrs={"dir": "auto"}),
        label=_("Subject"),
        error_messages={"required": _("Say in a few words what it is about.")},
    )
    message = MessageField(
        widget=forms.Textarea(attrs={"rows": 8, "dir": "auto"}),
        label=_("Message"),
        help_text=_(
            "Send files in a reply once the ticket has been created, and passwords in an encrypted reply."
        ),
    )
    priority = forms.ChoiceField(choices=words.PRIORITIES.items, initial="medium", label=_("Priority"))
    critical_reason = TextField(
        max_length=LONGEST_MESSAGE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
        label=_("Why is it critical?"),
        help_text=_("Say how your customers are affected. HostUp accepts one critical ticket an hour."),
    )
    cc_emails = TextField(
        max_length=10_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 1, "spellcheck": "false", "autocapitalize": "none"}),
        label=_("CC addresses"),
        help_text=_("Separated by commas, spaces or new lines."),
    )
    service_type = forms.ChoiceField(
        choices=lambda: [("", _("None")), *words.SERVICES.items()], required=False, label=_("Service")
    )
    service_id = TextField(
        max_length=255,
        required=False,
        widget=forms.TextInput(attrs={"list": "services", "spellcheck": "false", "autocapitalize": "none"}),
        label=_("Service ID"),
    )

    # What is kept as a draft.
    WRITTEN = ("subject", "message", "critical_reason", "cc_emails", "service_id")
    CHOSEN = ("department", "priority", "service_type")
    AT_HOSTUP = {
        "departmentSlug": "department",
        "subject": "subject",
        "message": "message",
        "priority": "priority",
        "criticalReason": "critical_reason",
        "ccEmails": "cc_emails",
        "context": "service_id",
        "serviceType": "service_type",
        "serviceId": "service_id",
    }

    def __init__(self, *args, departments, services, **kwargs):
        """Offer `departments`, slug to name. `services` are those whose type is known."""
        super().__init__(*args, **kwargs)
        self.departments, self.services = departments, services
        chosen = self["department"].value()
        if chosen and chosen not in departments:  # no longer offered, or learned elsewhere: let HostUp decide
            departments = departments | {chosen[:64]: chosen[:64]}
        choices = list(departments.items())
        self.fields["department"].widget.choices = choices if len(choices) == 1 else [("", "—"), *choices]
        for name in ("department", "subject", "message", "priority"):
            self.fields[name].widget.attrs["aria-required"] = "true"

    def clean_cc_emails(self):
        """Return the addresses, each once."""
        addresses = list(dict.fromkeys(filter(None, re.split(r"[\s,;]+", self.cleaned_data["cc_emails"]))))
        for address in addresses:
            try:
                validate_email(address)
            except forms.ValidationError:
                raise forms.ValidationError(
                    _("“%(address)s” is not an e-mail address."), params={"address": address}
                ) from None
        return addresses

    def clean(self):
        fields = super().clean()
        if fields.get("priority") == "critical" and fields.get("critical_reason") == "":
            self.add_error("critical_reason", _("Say how your customers are affected."))
        service_type, service_id = fields.get("service_type"), fields.get("service_id")
        if service_id and not service_type:
            known = {service.id: service.type for service in self.services}
            fields["service_type"] = known.get(service_id, "")
            if not fields["service_type"]:
                self.add_error("service_type", _("Choose what kind of service it is."))
        if service_type and service_id == "":
            self.add_error("service_id", _("Give the service's ID, or choose “None”."))
        return fields

    @property
    def for_hostup(self) -> dict:
        """Return the ticket's fields under HostUp's names, without those that were left empty."""
        fields = self.cleaned_data
        is_critical = fields["priority"] == "critical"
        service = {"serviceType": fields["service_type"], "serviceId": fields["service_id"]}
        ticket = {
            "departmentSlug": fields["department"],
            "subject": fields["subject"],
            "message": fields["message"],
            "priority": fields["priority"],
            "criticalReason": fields["critical_reason"] if is_critical else "",
            "ccEmails": fields["cc_emails"],
            "context": service if fields["service_id"] else {},
        }
        return {name: value for name, value in ticket.items() if value}

    def add_hostup_errors(self, fields: dict[str, str]) -> list[str]:
        """Put what HostUp says about single fields (JSON pointer to sentence) beside them.

        Returns the other sentences: those about no field, or about one that this form does not have.
        """
        addresses = self.cleaned_data.get("cc_emails", [])
        rest = []
        for pointer, sentence in fields.items():
            parts = pointer.strip("/").split("/")  # such as /subject, /context/serviceId, /ccEmails/0
            name = self.AT_HOSTUP.get(parts[-1]) or self.AT_HOSTUP.get(parts[0])
            if name == "cc_emails" and re.fullmatch("[0-9]{1,4}", parts[-1]):
                sentence = ": ".join([*addresses[int(parts[-1]) :][:1], sentence])
            if name:
                self.add_error(name, plain(sentence) or _("HostUp did not accept that"))
            else:
                rest.append(plain(sentence))
        return [*filter(None, rest)]

    def mark_first_error(self) -> bool:
        """Let the first field with an error take the focus; tell whether there is one."""
        name = next((name for name in self.fields if name in self.errors and name != "token"), None)
        if name:
            self.fields[name].widget.attrs["autofocus"] = True
        return bool(name)


# Keeps browsers from filling a password field with the saved password for signing in; they ignore `off` there.
# Firefox respects only `new-password`, at the price that browsers offer to generate a password. Password managers
# have attributes of their own.
NO_SAVED_PASSWORD = {
    "autocomplete": "new-password",
    "data-1p-ignore": True,  # 1Password
    "data-lpignore": "true",  # LastPass
    "data-bwignore": "true",  # Bitwarden
}


class ApiKeyForm(forms.Form):
    """The field never shows what was typed: a key on a screen can be photographed."""

    api_key = forms.CharField(
        label=_("API key"),
        max_length=512,
        validators=[
            RegexValidator(r"^[!-~]+\Z", _("An API key has only letters, digits and symbols, no spaces."))
        ],
        widget=forms.PasswordInput(attrs=NO_SAVED_PASSWORD | {"spellcheck": "false"}),
    )
