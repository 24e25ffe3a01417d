"""The accounts' addresses. allauth's pages for sign-up, e-mail and forgotten passwords are left out on purpose."""

from allauth.account import views as account
from allauth.decorators import rate_limit
from allauth.socialaccount import views as socialaccount
from django.conf import settings
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from hostup_dashboard.accounts import agents, pages, provider, sessions

not_too_often = rate_limit(action="login", limit_get=True)  # as often as the sign-in page itself

of_oneself = [
    path("login/", account.login, name="account_login"),
    path("logout/", sessions.sign_out, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/", account.password_change, name="account_change_password"),
    # Agents without a password come from the identity provider; only an administrator's link gives them one.
    path("password/set/", RedirectView.as_view(pattern_name="mfa_index"), name="account_set_password"),
    re_path(
        r"^password/(?P<uidb36>[0-9A-Za-z]{1,13})-(?P<key>[0-9A-Za-z-]{1,100})/$",
        pages.ChoosePassword.as_view(),
        name="account_reset_password_from_key",
    ),
    path("password/chosen/", pages.chosen, name="account_reset_password_from_key_done"),
    path("sessions/", sessions.ListSessions.as_view(), name="usersessions_list"),
    path("sessions/end/", sessions.sign_out_everywhere, name="sign_out_everywhere"),
    path("provider/error/", socialaccount.login_error, name="socialaccount_login_error"),
    path("provider/cancelled/", socialaccount.login_cancelled, name="socialaccount_login_cancelled"),
    # Each request calls the provider and makes a session, and allauth does not throttle it.
    path("oidc/<slug:provider_id>/login/", not_too_often(provider.login), name="openid_connect_login"),
    path("oidc/<slug:provider_id>/login/callback/", provider.callback, name="openid_connect_callback"),
    path("me/totp/activate/", pages.SetUpApp.as_view(), name="mfa_activate_totp"),
    path("me/", include("allauth.mfa.urls")),
]

passkeys = []
if "webauthn" in settings.MFA_SUPPORTED_TYPES:
    # Anybody can get a challenge for a passkey. Each makes a session, and allauth does not throttle that.
    passkeys = [
        path("me/webauthn/login/", not_too_often(pages.PasskeySignIn.as_view()), name="mfa_login_webauthn"),
        path("me/webauthn/reauthenticate/", pages.PasskeyAgain.as_view(), name="mfa_reauthenticate_webauthn"),
        path("me/webauthn/keys/<int:pk>/edit/", pages.RenamePasskey.as_view(), name="mfa_edit_webauthn"),
    ]

of_agents = [
    path("", agents.agents, name="agents"),
    path("<int:agent_id>/invite/", agents.invite, name="agent_invite"),
    path("<int:agent_id>/disable/", agents.disable, name="agent_disable"),
    path("<int:agent_id>/enable/", agents.enable, name="agent_enable"),
    path("<int:agent_id>/second-step/", agents.reset_second_step, name="agent_reset_second_step"),
]

# Passkeys first: allauth has pages of its own at their addresses.
urlpatterns = [path("accounts/", include([*passkeys, *of_oneself])), path("agents/", include(of_agents))]
