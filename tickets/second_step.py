"""What allauth asks us about the second step of signing in: how its secrets are kept, and what phones call us."""

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.utils.translation import gettext as _

from tickets.models import SecondStep


class Adapter(DefaultMFAAdapter):
    def encrypt(self, text):
        return SecondStep.seal(text)

    def decrypt(self, encrypted_text):
        """Raises `SecondStep.Unreadable`."""
        return SecondStep.unseal(encrypted_text)

    def get_totp_issuer(self):
        return "HostUp Dashboard"

    def generate_authenticator_name(self, user, type):
        return _("Passkey %(number)s") % {"number": Authenticator.objects.filter(user=user, type=type).count() + 1}

    def get_totp_label(self, user):
        return user.get_username()
