"""Path to view name. One word for one action everywhere."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter
from django.views.generic import RedirectView

from tickets.hostup.types import ID_PATTERN
from tickets.views import (
    activity,
    attachment,
    create,
    departments,
    draft,
    go,
    health,
    key,
    listing,
    reply,
    show,
    status,
)


class HostUpId(StringConverter):
    """An id of HostUp's, or a ticket's number: what may go into a path at HostUp."""

    regex = ID_PATTERN


register_converter(HostUpId, "id")

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="tickets"), name="home"),
    path("tickets/", listing.tickets, name="tickets"),
    path("tickets/new/", create.create, name="create"),
    path("tickets/new/draft/", draft.draft, name="create_draft"),
    path("tickets/departments/", departments.departments, name="departments"),
    path("tickets/go/", go.go, name="go"),
    path("tickets/<id:ticket_id>/", show.show, name="ticket"),
    path("tickets/<id:ticket_id>/reopen/", status.reopen, name="reopen"),
    path("tickets/<id:ticket_id>/close/", status.close, name="close"),
    path("tickets/<id:ticket_id>/reply/", reply.reply, name="reply"),
    path("tickets/<id:ticket_id>/draft/", draft.draft, name="draft"),
    path("tickets/<id:ticket_id>/upload/", attachment.upload, name="upload"),
    path("tickets/<id:ticket_id>/attachments/<id:attachment_id>/", attachment.download, name="attachment"),
    path("settings/key/", key.key, name="key"),
    path("settings/key/check/", key.check, name="key_check"),
    path("settings/key/remove/", key.remove, name="key_remove"),
    path("activity/", activity.activity, name="activity"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
