"""Every address of the site. Sign-up, password reset and e-mail pages of allauth are left out on purpose."""

from allauth.account import views as account
from django.urls import include, path

urlpatterns = [
    path("accounts/login/", account.login, name="account_login"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("accounts/inactive/", account.account_inactive, name="account_inactive"),
    path("", include("tickets.urls")),
]

handler400 = "hostup_dashboard.errors.bad_request"
handler403 = "hostup_dashboard.errors.permission_denied"
handler404 = "hostup_dashboard.errors.page_not_found"
handler500 = "hostup_dashboard.errors.server_error"
