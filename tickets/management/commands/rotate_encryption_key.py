"""`manage.py rotate_encryption_key`: re-encrypt all stored secrets with the first of `ENCRYPTION_KEYS`."""

import time

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from tickets.models import HOLDERS_OF_SECRETS

BATCH = 200  # rows locked at a time: a few tenths of a second
# Seconds between batches. Writers that wait for SQLite's lock retry that often; without a pause they never get it.
PAUSE = 0.1


class Command(BaseCommand):
    help = (
        "Encrypt every stored API key, draft and second step with the first of ENCRYPTION_KEYS. Safe while the "
        "dashboard runs, as long as every process has both keys. Drop the old key when nothing is left under it."
    )

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done; change nothing.")
        parser.add_argument(
            "--delete-unreadable",
            action="store_true",
            help="Delete what cannot be read, because its key is lost; its agents have to save it anew.",
        )

    def handle(self, *, dry_run, delete_unreadable, **options):
        unreadable = sum(self._rotate(model, dry_run, delete_unreadable) for model in HOLDERS_OF_SECRETS)
        if unreadable and not delete_unreadable:
            raise CommandError(
                "Some could not be read: keep the old key, or accept that these are lost (--delete-unreadable)."
            )

    def _rotate(self, model, dry_run: bool, delete_unreadable: bool) -> int:
        """Rotate the rows of one model, say so, and return how many could not be read."""
        rotated = unreadable = 0
        for row in self._locked(model):
            try:
                clear = row.decrypt()
            except model.Unreadable:
                unreadable += 1
                self.stderr.write(f"The {row} cannot be read.")
                if delete_unreadable and not dry_run:
                    row.delete()
                continue
            if row.is_under_current_key:
                continue
            row.encrypt(clear)
            if not dry_run:
                row.save()
            rotated += 1
        left = sum(not row.is_under_current_key for row in model.objects.iterator())
        verb = "would be rotated" if dry_run else "rotated"
        name = model._meta.verbose_name_plural
        self.stdout.write(f"{name}: {rotated} {verb}, {unreadable} unreadable, {left} left under another key.")
        return unreadable

    def _locked(self, model):
        """Yield the rows, batch by batch, each locked until its batch is done: its agent may be saving it now."""
        keys = list(model.objects.values_list("pk", flat=True))
        for start in range(0, len(keys), BATCH):
            if start:
                time.sleep(PAUSE)
            with transaction.atomic():
                yield from model.objects.filter(pk__in=keys[start : start + BATCH]).select_for_update()
