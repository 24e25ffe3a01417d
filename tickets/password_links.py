"""Links with which an agent chooses a password: only the newest one works."""

from django.contrib.auth.tokens import PasswordResetTokenGenerator

from tickets.models import Activity

Action = Activity.Action


class Links(PasswordResetTokenGenerator):
    """Django's links, which end with the agent's next password or sign-in. These also end when another one is
    made, which withdraws a link that fell into the wrong hands, and when the agent is disabled, even if enabled
    again.

    Both are in the activity log before a link is made.
    """

    def check_token(self, user, token):
        return user.is_active and super().check_token(user, token)

    def _make_hash_value(self, user, timestamp):
        ends = Activity.objects.filter(about=user, action__in=[Action.AGENT_INVITED, Action.AGENT_DISABLED])
        newest = ends.order_by("-pk").values_list("pk", flat=True).first()
        return f"{super()._make_hash_value(user, timestamp)}{newest}"
