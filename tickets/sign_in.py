"""How a signed-in agent is loaded with every request."""

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth import get_user_model


class Backend(AuthenticationBackend):
    """allauth's backend, plus the agent's API key: nearly every page needs both, and one query loads them."""

    def get_user(self, user_id):
        agents = get_user_model().objects.select_related("api_key")
        try:
            agent = agents.get(pk=user_id)
        except agents.model.DoesNotExist:
            return None
        return agent if self.user_can_authenticate(agent) else None
