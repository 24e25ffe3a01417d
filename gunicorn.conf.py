"""How gunicorn serves the dashboard; found by itself when started in this folder."""

import ctypes
import gc
import os
import resource
import sys
from contextlib import suppress

from hostup_dashboard import environment, metrics_server
from hostup_dashboard.logs import LOGGING
from hostup_dashboard.metrics_server import child_exit, on_exit, post_fork, pre_fork, when_ready  # noqa: F401  (hooks)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hostup_dashboard.settings")
env = environment.Env()

# What a crash would leave on the disk is a process's memory, with all keys in it. The workers inherit this.
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

# Most of a request is waiting for HostUp: threads wait, two processes use two cores.
worker_class = "hostup_dashboard.worker.Worker"
workers = env.int("WEB_CONCURRENCY", 2) or sys.exit("problem  settings: WEB_CONCURRENCY is 0.")
threads = 24
graceful_timeout = 60  # seconds: a reply takes up to five calls of ten
# The address of "More tickets" carries HostUp's cursor and the numbers listed so far, and htmx repeats the current
# address in a header. What is longer, gunicorn refuses itself, with a bare page.
limit_request_line = 8190  # bytes, the most that it takes
limit_request_field_size = 2 * 8190
max_requests = 20_000
max_requests_jitter = 2_000
# Its own words go through the same format and filters; requests have a line from us (request_log.py).
logconfig_dict = LOGGING
# Where the site is mounted and which page is asked for are not for a header to decide: from this machine gunicorn
# would take them, and a proxy here passes on what a browser sent.
forwarder_headers = ""
control_socket_disable = True  # nobody here steers a running server

M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -8, -3, -1  # glibc's malloc.h
MB = 1024 * 1024


def on_starting(server):
    """Before the first worker: collect the static files and say what `manage.py check` would; share memory."""
    # glibc would give threads arenas of their own, and a worker up to 144 MB instead of 84; Python's threads take
    # turns anyhow. And it would keep for good what hashing a password takes, 20 MB. The workers inherit this.
    # Systems without glibc have no such settings.
    with suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_ARENA_MAX, 1)
        libc.mallopt(M_MMAP_THRESHOLD, 1 * MB)
        libc.mallopt(M_TRIM_THRESHOLD, 4 * MB)  # the line above fixes it at less than what a page takes

    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import CommandError, call_command

    try:
        metrics_server.prepare()
        django.setup()
        call_command("check")
    except (ImproperlyConfigured, CommandError) as error:  # a setting of the installation's, as in manage.py
        sys.exit(f"problem  settings: {error}")

    from hostup_dashboard import templating

    templating.compile_all()
    call_command("collectstatic", interactive=False, verbosity=0)


def post_worker_init(worker):
    """Keep the garbage collector from scanning, every few pages, all that is loaded by now."""
    gc.collect()
    gc.freeze()
