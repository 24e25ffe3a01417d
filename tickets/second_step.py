"""The second step of signing in. Its secrets are stored encrypted, like all others in this app."""

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.utils.translation import gettext as _

from tickets.models import SecondStep


class Adapter(DefaultMFAAdapter):
    def get_totp_label(self, user):
        return user.get_username()

    def generate_authenticator_name(self, user, type):
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return _("Passkey %(number)s") % {"number": number}

    def encrypt(self, text):
        return SecondStep.seal(text)

    def decrypt(self, encrypted_text):
        """Return the secret in clear. Raises `SecondStep.Unreadable`."""
        return SecondStep.unseal(encrypted_text)
