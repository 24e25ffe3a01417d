"""Every address of the site."""

from django.urls import include, path

urlpatterns = [
    path("", include("hostup_dashboard.accounts.urls")),
    path("", include("tickets.urls")),
]

handler400 = "hostup_dashboard.errors.bad_request"
handler403 = "hostup_dashboard.errors.permission_denied"
handler404 = "hostup_dashboard.errors.page_not_found"
handler429 = "hostup_dashboard.errors.too_many_requests"
handler500 = "hostup_dashboard.errors.server_error"
