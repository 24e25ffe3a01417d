"""HostUp's terms in the agents' language. Terms that HostUp's reference does not list are shown as they came."""

from django.utils.translation import gettext_lazy as _

STATUSES = {
    "open": _("Open"),
    "answered": _("Answered"),
    "customer_reply": _("Customer reply"),
    "in_progress": _("In progress"),
    "on_hold": _("On hold"),
    "closed": _("Closed"),
    "unknown": _("Unknown"),
}

PRIORITIES = {
    "low": _("Low"),
    "medium": _("Medium"),
    "high": _("High"),
    "urgent": _("Urgent"),
    "critical": _("Critical"),
}

# Advice for choosing one. HostUp's reference says no more than the names.
PRIORITY_ADVICE = {
    "low": _("A question that can wait."),
    "medium": _("Something is wrong, but you can keep working."),
    "high": _("Something important does not work."),
    "urgent": _("A service is down, or will be soon."),
    "critical": _("Your customers are affected right now. HostUp alerts its staff on duty."),
}

# HostUp's "customer" is the company that uses this dashboard.
SENDERS = {
    "customer": _("Us"),
    "staff": _("HostUp"),
    "automation": _("HostUp, automated"),
}

SERVICES = {
    "domain": _("Domain"),
    "hosting": _("Web hosting"),
    "vps": _("VPS"),
    "other": _("Other service"),
}

ON_US, ON_HOSTUP = _("Waiting on us"), _("Waiting on HostUp")
TURNS = {"answered": ON_US, "open": ON_HOSTUP, "customer_reply": ON_HOSTUP, "in_progress": ON_HOSTUP}
