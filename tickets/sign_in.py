"""How an agent who signed in is found again with every request."""

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth import get_user_model


class Backend(AuthenticationBackend):
    """allauth's, that brings the agent's API key along: nearly every page needs both, and asks once for them."""

    def get_user(self, user_id):
        agents = get_user_model().objects.select_related("api_key")
        try:
            agent = agents.get(pk=user_id)
        except agents.model.DoesNotExist:
            return None
        return agent if self.user_can_authenticate(agent) else None
