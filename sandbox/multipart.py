"""Read `multipart/form-data`, which the upload call takes."""

from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import HeaderParser
from email.policy import HTTP


class NotMultipart(ValueError):
    """The body is not what its Content-Type promises."""


@dataclass(frozen=True, slots=True)
class Part:
    """`filename` is None for a plain form field."""

    filename: str | None
    content_type: str
    content: bytes


def read(content_type: str, body: bytes) -> dict[str, Part]:
    """Return the parts by field name; of a repeated name, the last. Raise NotMultipart if it cannot be read."""
    headers = EmailMessage(policy=HTTP)
    headers["Content-Type"] = content_type
    boundary = headers.get_boundary()
    if headers.get_content_type() != "multipart/form-data" or not boundary:
        raise NotMultipart("expected multipart/form-data with a boundary")
    # Split by hand: the email parser would rewrite the line ends of a binary file.
    delimiter = b"\r\n--" + boundary.encode("latin-1", "replace")
    _, *chunks = (b"\r\n" + body).split(delimiter)
    if not chunks or not chunks[-1].startswith(b"--"):
        raise NotMultipart("the closing boundary is missing")
    parts = {}
    for chunk in chunks[:-1]:
        name, part = _read_part(chunk)
        parts[name] = part
    return parts


def _read_part(chunk: bytes) -> tuple[str, Part]:
    head, _, content = chunk.partition(b"\r\n\r\n")
    # Browsers and requests send names as plain UTF-8.
    text = head.decode("utf-8", "replace").lstrip("\r\n")
    headers = HeaderParser(policy=HTTP).parsestr(text)
    disposition = headers["Content-Disposition"]
    name = disposition.params.get("name") if disposition else None
    if name is None:
        raise NotMultipart("a part has no name")
    return name, Part(disposition.params.get("filename"), headers.get_content_type(), content)
