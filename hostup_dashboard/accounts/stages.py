"""Between the password and the first page: the second step."""

from allauth.mfa.stages import AuthenticateStage

HASH = "password_hash"  # of the password that was right, as sessions keep it


class SecondStep(AuthenticateStage):
    """allauth's, for a sign-in that is as its agent's account is now."""

    def handle(self):
        self.state[HASH] = self.login.user.get_session_auth_hash()
        return super().handle()

    def is_resumable(self, request):
        """Let whoever has no second step any more, since an administrator reset it, sign in anew: allauth sends
        them from the page of the code to that of the password, and back."""
        return self._should_handle(request)

    def exit(self):
        """Let in nobody who was disabled, or whose password was changed, meanwhile."""
        agent = self.login.user
        is_of_now = agent.is_active and self.state.get(HASH) == agent.get_session_auth_hash()
        return super().exit() if is_of_now else self.abort()
