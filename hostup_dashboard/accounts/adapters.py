"""allauth's adapters: who may have an account, and when to ask for the password again."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.base import AuthError
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from hostup_dashboard.accounts import provider as identity_provider
from hostup_dashboard.accounts import throttle
from hostup_dashboard.accounts.sessions import is_confirmed

APP_OR_RECOVERY = _("Use a code from the app or a recovery code")
TOO_MANY = _("Too many failed attempts. Wait a few minutes, then try again.")


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": _("Wrong username or password."),
        **dict.fromkeys(throttle.CODES, TOO_MANY),
    }

    def is_open_for_signup(self, request):
        """Refuse sign-up: only an administrator makes accounts."""
        return False

    def is_reauthentication_required(self, *, app, **kwargs):
        """Tell whether the agent has to confirm who they are. allauth would ask even right after signing in."""
        return not is_confirmed(self.request)

    def get_reauthentication_methods(self, user):
        """Return allauth's methods, worded as on our pages. Not every agent with recovery codes has an app."""
        has_app = is_mfa_enabled(user, [Authenticator.Type.TOTP])
        words = {
            "reauthenticate": _("Use your password"),
            "mfa_reauthenticate": APP_OR_RECOVERY if has_app else _("Use a recovery code"),
            "mfa_reauthenticate:webauthn": _("Use a passkey"),
        }
        methods = super().get_reauthentication_methods(user)
        return [method | {"description": words[method["id"]]} for method in methods]

    def get_login_stages(self):
        ours = {"allauth.mfa.stages.AuthenticateStage": "hostup_dashboard.accounts.stages.SecondStep"}
        return [ours.get(path, path) for path in super().get_login_stages()]

    def is_safe_url(self, url):
        """Tell whether `url` is on this site. allauth would trust all of `ALLOWED_HOSTS`, loopback included, which
        to a browser is the agent's own machine."""
        return url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    def get_client_ip(self, request):
        """Return the client's address.

        A request over a Unix socket has no `REMOTE_ADDR`, and allauth would refuse the sign-in. It comes from a
        proxy on this machine, which is taken for the client unless it is trusted to name one.
        """
        try:
            return super().get_client_ip(request)
        except PermissionDenied:
            if request.META.get("REMOTE_ADDR"):
                raise
            return "127.0.0.1"

    def _get_login_attempts_cache_key(self, request, **credentials):
        """Return the key that failed sign-ins are counted under: the name alone.

        allauth's key includes the `Host` header, whose port an attacker could vary to get a fresh allowance each
        time. The prefix keeps names apart from keys such as "mfa-auth-user-1", under which allauth counts second
        steps: anybody may type one of those as a name.
        """
        return "name:" + credentials.get("email", credentials.get("username", "")).lower()

    def authenticate(self, request, **credentials):
        attempt = throttle.count_attempt(request)
        user = super().authenticate(request, **credentials)
        if user:
            attempt.rollback()
        return user

    def set_password(self, user, password):
        """Save only the password, and only over the one that the agent had when this request began.

        Hashing takes a while. If an administrator disables the agent meanwhile, saving must not undo that. If two
        browsers use the same link at once, only one sets the password; the other is redirected to the page, which
        says that the link was used.
        """
        agent = get_user_model().objects.filter(pk=user.pk, password=user.password)
        user.set_password(password)
        if not agent.update(password=user.password):
            raise ImmediateHttpResponse(redirect(self.request.path))

    def populate_username(self, request, user):
        """Make a username for an agent from the identity provider, if need be from their real name. The real name
        itself is not kept: no page shows it."""
        super().populate_username(request, user)
        user.first_name = user.last_name = ""

    def get_password_change_redirect_url(self, request):
        return reverse("mfa_index")


class IdentityProviderAdapter(DefaultSocialAccountAdapter):
    """Accounts from the company's identity provider (OpenID Connect), which the settings name."""

    def is_open_for_signup(self, request, sociallogin):
        """Allow new agents from the provider if the settings do, and if no agent has their address yet."""
        return settings.OIDC_CREATES_AGENTS and not _agents_at(sociallogin.user.email)

    def on_authentication_error(self, request, provider, error=None, exception=None, extra_context=None):
        if error != AuthError.CANCELLED:
            identity_provider.log_refusal(request, exception, was_asked="state" in extra_context)

    def pre_social_login(self, request, sociallogin):
        """Recognise an agent by their e-mail address at the first sign-in, from then on by the provider's id.

        The address may come without `email_verified` (Microsoft Entra ID leaves it out). The operator chose this
        provider, so the address is believed unless the provider says that it is not verified. In that case it is
        dropped: stored with a new agent, it would let its true owner into somebody else's account. Nor does an
        address lead to an agent who already has an id at the provider: it may be somebody else's there by now.
        """
        sociallogin.token = None  # nothing calls the provider again, and the session would keep it in clear text
        if sociallogin.state.get("process") == "connect":
            raise PermissionDenied("the address that an administrator wrote down is the only link")
        claims = sociallogin.account.get_provider_account().get_user_data() or {}
        sociallogin.account.extra_data = {}  # nor may the session keep personal data (provider.py)
        if sociallogin.is_existing:
            return
        sociallogin.email_addresses = []  # allauth's own list of verified addresses, which nothing here uses
        if str(claims.get("email_verified")).lower() == "false":  # some providers send it as text
            sociallogin.user.email = ""
        # The address as it came: allauth lower-cases it, which turns a Kelvin sign into a k.
        agents = _agents_at(claims["email"]) if sociallogin.user.email else []
        if len(agents) != 1:
            return
        if SocialAccount.objects.filter(user=agents[0], provider=sociallogin.account.provider).exists():
            identity_provider.log_reason(f"the agent {agents[0]} is tied to another account there")
            return
        sociallogin.connect(request, agents[0])


def _agents_at(address: str) -> list:
    """Return the agents with this e-mail address."""
    like_it = get_user_model().objects.filter(email__iexact=address) if address else []
    # The database compares in upper case, where a dotless ı equals i: https://nvd.nist.gov/vuln/detail/CVE-2019-19844
    return [agent for agent in like_it if agent.email.lower() == address.lower()]
