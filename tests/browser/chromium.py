"""The Chromium that the browser tests drive: found, or installed by `python -m tests.browser.chromium`."""

import os
import shutil
import subprocess
import sys

# The headless shell first: it does the same with half the work.
ON_PATH = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
ON_MACOS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
# Run in a process of its own: Playwright cannot be started twice in one.
PLAYWRIGHTS_OWN = """
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)
"""


def find() -> str | None:
    """Return the path of a Chromium that runs: `$CHROMIUM` and nothing else if that is set; else an installed
    one, else Playwright's own. None when there is none."""
    if chosen := os.environ.get("CHROMIUM"):
        return chosen if _runs(chosen) else None
    installed = [path for name in ON_PATH if (path := shutil.which(name))]
    return next(filter(_runs, [*installed, *ON_MACOS]), None) or _playwrights_own()


def main() -> None:
    """Make sure that there is a Chromium, or say what to do and exit with 1."""
    if find():
        return
    if chosen := os.environ.get("CHROMIUM"):
        sys.exit(f"CHROMIUM names {chosen}, which does not run. Name another, or unset it to have one found.")
    print("Installing Chromium for the browser tests (once)…", flush=True)
    for install in (_install_from_debian, _install_from_playwright):
        install()
        if find():
            return
    sys.exit("The browser tests need Chromium. Install it, or name one: CHROMIUM=/path/to/chromium make test")


def _runs(path: str) -> bool:
    """Tell whether the program runs: some distributions' `chromium` only says where to get one."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _playwrights_own() -> str | None:
    asked = subprocess.run([sys.executable, "-c", PLAYWRIGHTS_OWN], capture_output=True, text=True)
    path = asked.stdout.strip()
    return path if path and _runs(path) else None


def _install_from_debian() -> None:
    if not (shutil.which("apt-get") and _is_root()):
        return
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["install", "-y", "--no-install-recommends"]
    for arguments in (["update"], [*install, "chromium-headless-shell"], [*install, "chromium"]):
        subprocess.run(["apt-get", "-qq", *arguments], env=environment, stdout=subprocess.DEVNULL)
        if find():
            return


def _install_from_playwright() -> None:
    with_libraries = ["--with-deps"] if shutil.which("apt-get") and _is_root() else []
    subprocess.run([sys.executable, "-m", "playwright", "install", *with_libraries, "chromium"])


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


if __name__ == "__main__":
    main()
