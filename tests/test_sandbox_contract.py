"""The sandbox answers as sandbox/openapi.json says, whatever it is asked. Schemathesis makes up the requests."""

import re
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from sandbox import keys, special_tickets
from sandbox.api import ROUTES
from sandbox.server import Sandbox

DESCRIPTION = Path(__file__).parents[1] / "sandbox" / "openapi.json"
FULL_KEY = {"Authorization": f"Bearer {keys.FULL}"}
# Department slugs and cursors come from earlier answers, which a schema cannot express: made-up ones get 400.
NEEDS_EARLIER_ANSWERS = {"listTickets", "createTicket"}

described = schemathesis.openapi.from_path(DESCRIPTION)
on_known_tickets = schemathesis.openapi.from_path(DESCRIPTION).include(path_regex=r"\{ticketId\}")
on_known_tickets.config.generation.update(modes=[GenerationMode.POSITIVE])
bounded = settings(
    max_examples=5,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(rate_limit=1_000_000) as sandbox:
        yield sandbox


def operation_id(case) -> str:
    return case.operation.definition.raw["operationId"]


@described.parametrize()
@bounded
def test_it_answers_any_call_as_described(case, sandbox):
    impossible = [positive_data_acceptance] if operation_id(case) in NEEDS_EARLIER_ANSWERS else []
    case.call_and_validate(base_url=sandbox.url, headers=FULL_KEY, excluded_checks=impossible)


@on_known_tickets.parametrize()
@bounded
def test_it_answers_good_calls_on_a_known_ticket_as_described(case, sandbox):
    """With made-up ids it would only ever answer 404."""
    sandbox.tickets.reopen(keys.ACCOUNT_A, special_tickets.SAMPLE_ID)
    case.path_parameters["ticketId"] = special_tickets.SAMPLE_ID
    response = case.call_and_validate(base_url=sandbox.url, headers=FULL_KEY)
    assert response.status_code in (200, 201)


def test_it_shows_every_seeded_ticket_as_described(sandbox):
    get_ticket = described["/api/v2/support/tickets/{ticketId}"]["GET"]
    for ticket in sandbox.tickets.tickets_of(keys.ACCOUNT_A):
        case = get_ticket.Case(path_parameters={"ticketId": ticket.id})
        response = case.call(base_url=sandbox.url, headers=FULL_KEY)
        get_ticket.validate_response(response)
        assert response.status_code == 200


def test_it_describes_every_call_that_the_sandbox_has():
    operations = [operation.ok() for operation in described.get_all_operations()]
    calls = {(operation.method.upper(), re.sub(r"{\w+}", "([^/]+)", operation.path)) for operation in operations}
    assert calls == {(route.method, route.path.pattern) for route in ROUTES}
