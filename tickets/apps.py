from django.apps import AppConfig
from django.db.models.signals import post_migrate


class TicketsConfig(AppConfig):
    name = "tickets"

    def ready(self):
        from tickets import account_activity  # noqa: F401  (importing it connects its receivers to the signals)
        from tickets.models import Canary

        post_migrate.connect(Canary.begin, sender=self)
