"""gunicorn's worker, with our headers on gunicorn's own error answers and a time-out for browsers that stall."""

from django.conf import settings
from gunicorn.workers.gthread import ThreadWorker

POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class Worker(ThreadWorker):
    patience = 30  # seconds for 64 KB of a file, either way; then others get its thread and its place at HostUp

    def handle_request(self, req, conn):
        conn.sock.settimeout(self.patience)
        return super().handle_request(req, conn)

    def handle(self, conn):
        """Close a connection in its own thread. gunicorn would close it in the loop that accepts connections for
        all threads, and wait up to two seconds there for each browser to hang up."""
        is_kept = super().handle(conn)
        if not is_kept:
            conn.close(graceful=True)
            conn.close = lambda graceful=False: None  # the loop closes it once more
        return is_kept

    def handle_error(self, req, client, addr, exc):
        super().handle_error(req, _WithHeaders(client), addr, exc)


class _WithHeaders:
    """A browser's socket that adds our headers to an answer, which gunicorn writes in one piece."""

    def __init__(self, client):
        self._client = client

    def __getattr__(self, name):
        return getattr(self._client, name)

    def sendall(self, answer: bytes) -> None:
        from hostup_dashboard.middleware import HEADERS  # needs Django to be set up, as it is by now

        headers = HEADERS | {
            "Cache-Control": "no-store, private",
            "Content-Security-Policy": POLICY,
            "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
            "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": settings.X_FRAME_OPTIONS,
        }
        status, rest = answer.split(b"\r\n", 1)
        lines = [f"{name}: {value}".encode() for name, value in headers.items()]
        self._client.sendall(b"\r\n".join([status, *lines, rest]))
