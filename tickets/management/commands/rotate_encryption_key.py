"""`manage.py rotate_encryption_key`: encrypt every stored API key anew with the first of `ENCRYPTION_KEYS`."""

from django.core.management.base import BaseCommand, CommandError

from tickets.models import ApiKey


class Command(BaseCommand):
    help = (
        "Encrypt every stored API key with the first of ENCRYPTION_KEYS. Safe while the dashboard runs, as long "
        "as every process has both keys. Drop the old key when this says that nothing is left under it."
    )

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done; change nothing.")

    def handle(self, *, dry_run, **options):
        rotated = unreadable = 0
        for api_key in ApiKey.objects.iterator():
            if api_key.is_under_current_key:
                continue
            old_token = api_key.token
            try:
                api_key.encrypt(api_key.decrypt())
            except ApiKey.Unreadable:
                unreadable += 1
                self.stderr.write(f"The key of user {api_key.user_id} cannot be read; it has to be saved again.")
                continue
            if not dry_run:
                # Only when the row is still what was read: its agent may be saving another key right now.
                ApiKey.objects.filter(pk=api_key.pk, token=old_token).update(token=api_key.token)
            rotated += 1
        left = sum(not api_key.is_under_current_key for api_key in ApiKey.objects.iterator())
        verb = "would be rotated" if dry_run else "rotated"
        self.stdout.write(f"{rotated} {verb}, {unreadable} unreadable, {left} left under another key.")
        if unreadable:
            raise CommandError(
                "Some keys could not be read: keep the old ENCRYPTION_KEYS or ask for the keys anew."
            )
