"""`manage.py doctor`: what is wrong with this installation, in plain words. Exits with 1 when something is."""

import threading
import time

from django.core.checks import WARNING, CheckMessage, Error
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from hostup_dashboard import doctor as frame
from tickets import doctor

CHECKS = frame.CHECKS | doctor.CHECKS
MOST_SECONDS = 10  # in all


class Command(BaseCommand):
    help = "Say what is wrong with this installation and what to do. Changes nothing and needs no API key."
    requires_system_checks = []  # they are one of the checks

    def handle(self, **options):
        """Run the checks side by side, so that one that hangs takes no time from the others."""
        ends_at = time.monotonic() + MOST_SECONDS
        running = []
        for name, check in CHECKS.items():
            findings = []
            thread = threading.Thread(target=_look, args=(check, findings), daemon=True)
            thread.start()
            running.append((name, thread, findings))
        has_problem = False
        for name, thread, findings in running:
            thread.join(max(0, ends_at - time.monotonic()))
            if thread.is_alive():
                findings = [Error(f"not finished after {MOST_SECONDS} seconds", "Something it depends on hangs.")]
            for found in findings:
                level = "problem" if found.is_serious() else "warning" if found.level == WARNING else "ok"
                what = f"{found.msg} ({found.id})" if found.id else found.msg
                line = f"{level:8} {name}: {what}." + (f" {found.hint}" if found.hint else "")
                self.stdout.write(line.replace("\n", " "))
                has_problem |= found.is_serious()
        if has_problem:
            raise CommandError("There are problems.")


def _look(check, findings: list[CheckMessage]) -> None:
    try:
        findings.extend(check())
    except Exception as error:  # whatever it is, it is a finding
        what = f"{type(error).__name__}: {error}".rstrip(". \n")
        findings.append(Error(what, "The part named here is not working."))
    finally:
        connections.close_all()
