"""The second step, between the password and the first page."""

from allauth.mfa.stages import AuthenticateStage

HASH = "password_hash"  # of the accepted password, in the form that sessions keep


class SecondStep(AuthenticateStage):
    """allauth's stage, which also refuses an agent who was disabled, or got a new password, since the password."""

    def handle(self):
        self.state[HASH] = self.login.user.get_session_auth_hash()
        return super().handle()

    def is_resumable(self, request):
        """Tell whether the second step is still needed.

        If an administrator has reset it meanwhile, the agent signs in again. allauth alone would redirect them
        from the code's page to the password's and back.
        """
        return self._should_handle(request)

    def exit(self):
        """Refuse an agent who was disabled, or whose password was changed, meanwhile."""
        agent = self.login.user
        is_of_now = agent.is_active and self.state.get(HASH) == agent.get_session_auth_hash()
        return super().exit() if is_of_now else self.abort()
