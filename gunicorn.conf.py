"""How gunicorn serves the dashboard. gunicorn finds this file when it is started in this folder."""

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

# No core dumps: they would put a process's memory, with all keys in it, onto the disk. The workers inherit this.
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

# A request mostly waits for HostUp: threads do the waiting, and two processes use two cores.
worker_class = "hostup_dashboard.worker.Worker"
workers = env.int("WEB_CONCURRENCY", 2) or sys.exit("problem  settings: WEB_CONCURRENCY is 0.")
threads = 24
graceful_timeout = 60  # seconds: a reply takes up to five calls of ten seconds
# The address of "More tickets" carries HostUp's cursor and the numbers listed so far, and htmx repeats the current
# address in a header. gunicorn itself refuses anything longer, with a bare page.
limit_request_line = 8190  # bytes, the most that it takes
limit_request_field_size = 2 * 8190
max_requests = 20_000
max_requests_jitter = 2_000
# gunicorn's own messages get the same format and filters as ours. request_log.py logs the requests.
logconfig_dict = LOGGING
# No header may decide where the site is mounted (SCRIPT_NAME) or which page is asked for (PATH_INFO). gunicorn
# would believe one from this machine, where a proxy passes on what a browser sent.
forwarder_headers = ""
control_socket_disable = True  # nothing here controls a running server

M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD = -8, -3, -1  # glibc's malloc.h
MB = 1024 * 1024


def on_starting(server):
    """Run `manage.py check`, load what workers can share, and collect the static files, before workers start."""
    # glibc would give threads arenas of their own, and a worker would take up to 144 MB instead of 84, although
    # Python's threads take turns anyway. It would also never give back the 20 MB that hashing a password takes.
    # The workers inherit these settings; systems without glibc do not have them.
    with suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_ARENA_MAX, 1)
        libc.mallopt(M_MMAP_THRESHOLD, 1 * MB)
        libc.mallopt(M_TRIM_THRESHOLD, 4 * MB)  # the line above would leave it at less than a page takes

    import django
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import CommandError, call_command

    try:
        metrics_server.prepare()
        django.setup()
        call_command("check")
    except (ImproperlyConfigured, CommandError) as error:  # a bad setting, as in manage.py
        sys.exit(f"problem  settings: {error}")

    from hostup_dashboard import templating

    templating.compile_all()
    call_command("collectstatic", interactive=False, verbosity=0)


def post_worker_init(worker):
    """Keep the garbage collector from scanning everything that is loaded by now every few pages."""
    gc.collect()
    gc.freeze()
