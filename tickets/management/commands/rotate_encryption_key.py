"""`manage.py rotate_encryption_key`: encrypt everything stored anew with the first of `ENCRYPTION_KEYS`."""

from django.core.management.base import BaseCommand, CommandError

from tickets.models import ApiKey, Draft


class Command(BaseCommand):
    help = (
        "Encrypt every stored API key and draft with the first of ENCRYPTION_KEYS. Safe while the dashboard runs, "
        "as long as every process has both keys. Drop the old key when nothing is left under it."
    )

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done; change nothing.")

    def handle(self, *, dry_run, **options):
        unreadable = sum(self._rotate(model, dry_run) for model in (ApiKey, Draft))
        if unreadable:
            raise CommandError("Some could not be read: keep the old key, or accept that these are lost.")

    def _rotate(self, model, dry_run: bool) -> int:
        """Rotate the rows of one model, say so, and return how many could not be read."""
        rotated = unreadable = 0
        for row in model.objects.iterator():
            if row.is_under_current_key:
                continue
            old_token = row.token
            try:
                row.encrypt(row.decrypt())
            except model.Unreadable:
                unreadable += 1
                self.stderr.write(f"The {row.owner} cannot be read.")
                continue
            if not dry_run:
                # Only when the row is still what was read: its agent may be saving another one right now.
                model.objects.filter(pk=row.pk, token=old_token).update(token=row.token)
            rotated += 1
        left = sum(not row.is_under_current_key for row in model.objects.iterator())
        verb = "would be rotated" if dry_run else "rotated"
        name = model._meta.verbose_name_plural
        self.stdout.write(f"{name}: {rotated} {verb}, {unreadable} unreadable, {left} left under another key.")
        return unreadable
