"""`make audit`: look for known vulnerabilities in what runs. Fails when there is one, and when they could not be
looked up; with MAY_BE_OFFLINE=1 the latter is a notice.

A vulnerability that does not concern the dashboard, or that nothing can be done about yet, goes into
`known-vulnerabilities.txt` beside this file: its id, followed by the reason.

    python .ci/audit.py requirements.txt [arguments of pip-audit]
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

KNOWN = Path(__file__).with_name("known-vulnerabilities.txt")
MOST_SECONDS, ANSWER_SECONDS = 40, 5
NOBODY_THERE = ("Could not connect", "requests.exceptions.", "ServiceError")  # pip-audit has no exit code for this


def main() -> None:
    requirements, *arguments = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = f"--disable-pip -s osv --timeout {ANSWER_SECONDS} --progress-spinner off --format json"
        command = [sys.executable, "-m", "pip_audit", "-r", requirements, "-o", str(report), *options.split()]
        command += [*_ignored(), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=MOST_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            _not_audited(f"no answer within {MOST_SECONDS} seconds")
            return
        found = _found(json.loads(report.read_text())) if report.exists() else []
    if found:
        print("\n".join(found))
        sys.exit(f"Update with `make lock PACKAGE=…`, or name it with a reason in .ci/{KNOWN.name}.")
    if done.returncode == 0:
        print(done.stderr.strip())
    elif any(words in done.stderr for words in NOBODY_THERE):
        _not_audited(done.stderr.strip().splitlines()[-1][:200])
    else:
        sys.exit(done.stderr)


def _ignored() -> list[str]:
    """Return the arguments for the vulnerabilities that are known and accepted."""
    arguments = []
    for line in KNOWN.read_text().splitlines():
        if line and not line.startswith("#"):
            identifier, _, reason = line.partition(" ")
            if not reason.strip():
                sys.exit(f"{KNOWN.name}: {identifier} needs a reason.")
            arguments += ["--ignore-vuln", identifier]
    return arguments


def _not_audited(reason: str) -> None:
    if not os.environ.get("MAY_BE_OFFLINE"):
        sys.exit(f"Vulnerabilities were not looked up, which takes a way to api.osv.dev: {reason}")
    print(f"NOTICE: vulnerabilities were not looked up: {reason}")


def _found(report: dict) -> list[str]:
    """Return a sentence for each vulnerability in pip-audit's report."""
    return [
        f"{package['name']} {package['version']}: {vulnerability['id']}, fixed in "
        f"{', '.join(vulnerability['fix_versions']) or 'no version yet'}. {vulnerability['description'][:200]}"
        for package in report["dependencies"]
        for vulnerability in package.get("vulns", ())
    ]


if __name__ == "__main__":
    main()
