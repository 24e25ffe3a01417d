"""The server's worker, which waits a second for browsers rather than half a minute."""

from hostup_dashboard import worker


class Worker(worker.Worker):
    patience = 1
