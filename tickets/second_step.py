"""How the secrets of the second step of signing in are kept: encrypted, as all that this app keeps secret."""

from hostup_dashboard.accounts.adapters import SecondStepAdapter
from tickets.models import SecondStep


class Adapter(SecondStepAdapter):
    def encrypt(self, text):
        return SecondStep.seal(text)

    def decrypt(self, encrypted_text):
        """Raises `SecondStep.Unreadable`."""
        return SecondStep.unseal(encrypted_text)
