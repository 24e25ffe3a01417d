"""`manage.py forget_agent`: forget the identity of an agent who has left."""

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import CASCADE

from tickets.models import Activity


class Command(BaseCommand):
    help = (
        "Forget an agent who is disabled: name, e-mail address, password, second steps, API key, drafts, and the "
        "addresses that they signed in from. What they did stays in the activity log, under a number."
    )

    def add_arguments(self, parser):
        parser.add_argument("username", help="As it stands on the page Agents.")

    @transaction.atomic
    def handle(self, *, username, **options):
        agent = get_user_model().objects.filter(username=username).first()
        if agent is None:
            raise CommandError(f"There is no agent called {username}.")
        if agent.is_active:
            raise CommandError(f"{username} is not disabled. Disable them on the page Agents first.")
        for relation in agent._meta.related_objects:
            # Delete all that is theirs, except what is in the log and the number that an identity provider has for
            # them: if it decides who is an agent, they would otherwise come back as somebody new.
            if relation.on_delete is CASCADE and relation.related_model is not SocialAccount:
                relation.related_model._base_manager.filter(**{relation.field.name: agent}).delete()
        Activity.objects.filter(user=agent).update(address=None)
        agent.username = f"former-{agent.pk}"
        agent.first_name = agent.last_name = agent.email = ""
        agent.last_login = None
        agent.set_unusable_password()
        agent.save()
        self.stdout.write(
            f"{username} is forgotten. In the log they are {agent.username} now. HostUp is not told."
        )
