"""`manage.py demo_agent`: the agent of `make run`, with the sandbox's key already saved."""

import os
from contextlib import suppress

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

from sandbox import keys
from tickets.hostup.errors import HostUpError
from tickets.models import ApiKey
from tickets.scopes import try_out
from tickets.upstream import client_for


class Command(BaseCommand):
    help = "Make the agent AGENT_USERNAME with AGENT_PASSWORD; for the sandbox, save its key too."

    def handle(self, **options):
        user, _ = get_user_model().objects.get_or_create(
            username=os.environ["AGENT_USERNAME"], defaults={"is_staff": True}
        )
        if not user.check_password(os.environ["AGENT_PASSWORD"]):  # setting it again would sign the agent out
            user.set_password(os.environ["AGENT_PASSWORD"])
            user.save()
        if settings.HOSTUP_IS_SANDBOX and not ApiKey.objects.filter(user=user).exists():
            api_key = ApiKey(user=user)
            with suppress(HostUpError):  # not our sandbox after all, or not running: the agent has to save a key
                try_out(client_for(keys.FULL), api_key)
                api_key.encrypt(keys.FULL)
                api_key.save()
