"""What the list is filtered by. The filters are in the address, both of the list and of the ticket beside it."""

from typing import NamedTuple

from django.http import QueryDict
from django.utils.http import urlencode

from hostup_dashboard.htmx import asking_page
from tickets import departments, words
from tickets.hostup.types import STATUSES
from tickets.upstream import key_of


class Filters(NamedTuple):
    """`status` is one of HostUp's, or "" for all; `department` is a slug, or "" for all. `departments` maps slug
    to name; when they are stale, HostUp should be asked for them again."""

    status: str
    department: str
    departments: dict[str, str]
    departments_are_stale: bool

    @classmethod
    def of(cls, request) -> "Filters":
        """Read the filters from the requested address, without values that HostUp could only refuse. For a change,
        read the address of the page it was made on, because the button may be older than the filter."""
        page = asking_page(request) if request.method == "POST" else None
        chosen = QueryDict(page.partition("?")[2]) if page else request.GET
        status = chosen.get("status", "")
        department = chosen.get("department", "")[:64]
        api_key = key_of(request.user)
        known = api_key.departments
        if department and department not in known:
            known = known | {department: department}
        return cls(status if status in STATUSES else "", department, known, departments.are_stale(api_key))

    @property
    def query(self) -> str:
        """Return the filters as the end of an address: "?status=closed", or "" without any."""
        filters = {"status": self.status, "department": self.department}
        chosen = {name: value for name, value in filters.items() if value}
        return f"?{urlencode(chosen)}" if chosen else ""

    @property
    def statuses(self) -> dict[str, str]:
        return {status: words.STATUSES[status] for status in STATUSES}

    @property
    def department_name(self) -> str:
        return self.departments.get(self.department, "")

    @property
    def status_name(self) -> str:
        return words.STATUSES.get(self.status, "")
