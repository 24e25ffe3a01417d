"""Where Prometheus reads the metrics: gunicorn's hooks (`gunicorn.conf.py`).

gunicorn's first process adds up what the others have counted, and answers on a port of its own. No proxy leads
there, and it answers even while all threads wait for HostUp. Off unless `METRICS_ADDRESS` is set.
"""

import logging
import os
import shutil
import tempfile

logger = logging.getLogger(__name__)

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's name for the folder that the processes count into


def prepare() -> None:
    """Make the folder that the processes count into, before anything defines a metric.

    It is in `RUNTIME_DIRECTORY` if that is set (systemd may name several, separated by colons), not where uploads
    wait: the counters are memory-mapped files, and a full disk would kill the processes.
    """
    from django.conf import settings

    if settings.METRICS_ADDRESS:
        ours = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0] or None
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="hostup-dashboard-metrics-", dir=ours)


def when_ready(server):
    """Serve the metrics. If the address is taken, only log an error: agents still need their tickets."""
    from django.conf import settings
    from prometheus_client import CollectorRegistry, start_http_server
    from prometheus_client.multiprocess import MultiProcessCollector

    if not settings.METRICS_ADDRESS:
        return
    host, port = settings.METRICS_ADDRESS
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    try:
        start_http_server(port, host, registry)
    except OSError as error:
        logger.error("metrics are not served at %s port %s: %s", host, port, error.strerror)


def pre_fork(server, worker):
    """Give the new process the lowest number that no running one has."""
    taken = {each.number for each in server.WORKERS.values()}
    worker.number = min(set(range(len(taken) + 1)) - taken)


def post_fork(server, worker):
    from hostup_dashboard import metrics

    metrics.process = str(worker.number)


def child_exit(server, worker):
    """Forget the live gauges of a process that has ended; what it has counted stays."""
    from prometheus_client.multiprocess import mark_process_dead

    if FOLDER in os.environ:
        mark_process_dead(worker.number)


def on_exit(server):
    if FOLDER in os.environ:
        shutil.rmtree(os.environ[FOLDER], ignore_errors=True)
