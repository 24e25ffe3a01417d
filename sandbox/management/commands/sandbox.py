"""`manage.py sandbox`: the stand-in for HostUp's API, in the foreground."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from sandbox.run import add_arguments, run


class Command(BaseCommand):
    help = run.__doc__
    # The sandbox has no part in the product's configuration: it runs whatever that looks like.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_arguments(parser)

    def handle(self, *_: Any, port: int, seed: int, log: bool, **__: Any) -> None:
        run(port, seed, log=log)
