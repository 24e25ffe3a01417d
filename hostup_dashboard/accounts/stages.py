"""Between the password and the first page: the second step."""

from allauth.mfa.stages import AuthenticateStage

HASH = "password_hash"  # of the password that was right, as sessions keep it


class SecondStep(AuthenticateStage):
    """allauth's, for a sign-in that is as its agent's account is now."""

    def handle(self):
        self.state[HASH] = self.login.user.get_session_auth_hash()
        return super().handle()

    def is_resumable(self, request):
        """Not when an administrator has reset the second step meanwhile, so that the agent signs in anew: allauth
        alone would send them from the code's page to the password's and back."""
        return self._should_handle(request)

    def exit(self):
        """Let in nobody who was disabled, or whose password was changed, meanwhile."""
        agent = self.login.user
        is_of_now = agent.is_active and self.state.get(HASH) == agent.get_session_auth_hash()
        return super().exit() if is_of_now else self.abort()
