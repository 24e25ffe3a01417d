"""`manage.py createsuperuser`: Django's, which also refuses names that the page *Agents* refuses as taken."""

from django.contrib.auth.management.commands import createsuperuser

from hostup_dashboard.accounts.agents import USERNAME_TAKEN, is_taken


class Command(createsuperuser.Command):
    def _validate_username(self, username, *args):
        refusal = super()._validate_username(username, *args)
        return refusal or (USERNAME_TAKEN if is_taken(username) else None)
