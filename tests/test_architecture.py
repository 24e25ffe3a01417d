"""The parts of the code, and which may import which."""

import ast
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# SHA-256 of dist/htmx.min.js in npm's own package: `npm pack htmx.org@4.0.1`.
HTMX = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"
MODULES = [
    path
    for folder in ("tickets", "hostup_dashboard")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.parts
]


def imports_of(path):
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            of_package = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join([*of_package, *filter(None, [node.module])])
            yield from (f"{module}.{name.name}" for name in node.names)


def importers_of(package):
    return {
        str(path.relative_to(ROOT))
        for path in MODULES
        if any(name == package or name.startswith(f"{package}.") for name in imports_of(path))
    }


def test_what_is_imported_by_its_place_is_seen_too():
    assert {"sandbox.control.PREFIX", "sandbox.keys"} <= set(imports_of(ROOT / "sandbox/server.py"))


@pytest.mark.parametrize("path", sorted((ROOT / "tickets/hostup").glob("*.py")), ids=lambda path: path.name)
def test_hostup_s_client_knows_nothing_of_django_nor_of_the_rest_of_the_house(path):
    known = [name for name in imports_of(path) if not f"{name}.".startswith("tickets.hostup.")]
    assert not [name for name in known if name.split(".")[0] in ("django", "hostup_dashboard", "tickets")]


def test_only_the_client_speaks_http():
    assert importers_of("requests") == {"tickets/hostup/client.py"}


def test_only_the_models_encrypt():
    assert importers_of("tickets.crypto") == {"tickets/models.py"}


def test_what_reads_hostup_s_answers_is_pure():
    for module in ("wire", "types", "errors", "redaction"):
        names = set(imports_of(ROOT / f"tickets/hostup/{module}.py"))
        assert not [
            name for name in names if name.split(".")[0] in ("requests", "urllib3", "socket", "time", "django")
        ]


def test_the_frame_knows_nothing_of_tickets():
    knowing = {path for path in importers_of("tickets") if path.startswith("hostup_dashboard/")}
    assert knowing == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_takes_another_s_private_names(path):
    assert not [
        name
        for name in imports_of(path)
        if any(part.startswith("_") and part != "__future__" for part in name.split("."))
    ]


def test_the_vendored_htmx_is_the_version_in_its_name():
    (htmx,) = (ROOT / "static/vendor").glob("htmx-*.min.js")
    version = htmx.name.removeprefix("htmx-").removesuffix(".min.js")
    assert f'this.version="{version}"' in htmx.read_text()
    assert sha256(htmx.read_bytes()).hexdigest() == HTMX
    assert f"vendor/{htmx.name}" in (ROOT / "templates/base.html").read_text()
