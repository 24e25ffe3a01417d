"""Read a JSON body field by field and collect its errors, so that one answer names them all."""

import json
from collections.abc import Collection
from typing import Any

from .answer import Request
from .problems import field_error, invalid


def read_json_object(request: Request) -> "BodyFields":
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise invalid(field_error("", "Content-Type must be application/json.", "invalid_content_type"))
    try:
        value = json.loads(request.body)
    except (ValueError, RecursionError):
        raise invalid(field_error("", "The body is not JSON.", "invalid_json")) from None
    if not isinstance(value, dict):
        raise invalid(field_error("", "The body must be a JSON object.", "invalid_type"))
    return BodyFields(value)


class BodyFields:
    """The fields of a body. Each reader returns a usable value or notes an error; `refuse_if_wrong` comes last.

    Unknown fields are ignored.
    """

    def __init__(self, value: dict[str, Any]) -> None:
        self._value = value
        self._errors: list[dict] = []

    def refuse_if_wrong(self) -> None:
        if self._errors:
            raise invalid(*self._errors)

    def wrong(self, pointer: str, detail: str, code: str) -> None:
        self._errors.append(field_error(pointer, detail, code))

    def required_text(self, name: str) -> str:
        """Return the field's text. Not documented: whether a blank text counts as missing. Here it does."""
        value = self._value.get(name)
        if value is None or value == "":
            self.wrong(f"/{name}", f"{name} is required.", "required")
        elif not isinstance(value, str):
            self.wrong(f"/{name}", f"{name} must be text.", "invalid_type")
        elif not value.strip():
            self.wrong(f"/{name}", f"{name} must not be blank.", "required")
        else:
            return value
        return ""

    def optional(self, name: str, kind: type, default: Any = None, *, nullable: bool = False) -> Any:
        """Return the field's value if it is there and is a `kind`, otherwise `default`."""
        value = self._value.get(name)
        if name not in self._value or (value is None and nullable):
            return default
        if not isinstance(value, kind):
            self.wrong(f"/{name}", f"{name} has the wrong type.", "invalid_type")
            return default
        return value

    def choice(self, name: str, choices: Collection[str], default: str) -> str:
        if name not in self._value:
            return default
        value = self._value[name]
        if value not in choices:
            self.wrong(f"/{name}", f"{name} must be one of: {', '.join(choices)}.", "invalid_value")
            return default
        return value
