"""How an agent who signed in is found again with every request."""

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth import get_user_model


class Backend(AuthenticationBackend):
    """allauth's, that brings the agent's API key along: nearly every page needs both, and asks once for them."""

    def get_user(self, user_id):
        user = get_user_model().objects.select_related("api_key").filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None
