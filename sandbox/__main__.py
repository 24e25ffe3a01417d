"""Run the sandbox in the foreground: `python -m sandbox --port 8100`."""

import signal
from argparse import ArgumentParser
from threading import Event

from . import keys
from .server import Sandbox

KEYS = {
    "everything allowed": keys.FULL,
    "a colleague's": keys.COLLEAGUE,
    "may only read": keys.READ_ONLY,
    "without read:account": keys.NO_ACCOUNT,
    "without support scopes": keys.NO_SUPPORT,
    "revoked": keys.REVOKED,
    "another account's": keys.OTHER,
}


def run(port: int, seed: int) -> None:
    """Serves a stand-in for HostUp's support API on 127.0.0.1 until Ctrl-C or SIGTERM."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    # Each run gives the tickets that it creates other ids and numbers, because a database may outlive the run.
    sandbox = Sandbox(port, seed, repeats=False)
    try:
        sandbox.start()
    except OSError as error:
        raise SystemExit(
            f"The sandbox cannot listen on {sandbox.url}: {error.strerror}. Try another --port."
        ) from None
    lines = [f"The sandbox answers at {sandbox.url} (Ctrl-C ends it). API keys:"]
    lines += [f"  {key:44} {meaning}" for meaning, key in KEYS.items()]
    print("\n".join(lines), flush=True)
    stop.wait()
    sandbox.stop()


if __name__ == "__main__":
    parser = ArgumentParser(prog="sandbox", description=run.__doc__)
    parser.add_argument("--port", type=int, default=8100, help="port on 127.0.0.1 (default: 8100)")
    parser.add_argument("--seed", type=int, default=1, help="the same number makes the same tickets")
    run(**vars(parser.parse_args()))
