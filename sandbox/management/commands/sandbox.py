"""`manage.py sandbox`: the stand-in for HostUp's API, in the foreground."""

from django.core.management.base import BaseCommand

from sandbox.__main__ import add_arguments, run


class Command(BaseCommand):
    help = run.__doc__
    # The sandbox has no part in the product's configuration: it runs whatever that looks like.
    requires_system_checks = ()

    def add_arguments(self, parser):
        add_arguments(parser)

    def handle(self, *, port, seed, log, **options):
        run(port, seed, log=log)
