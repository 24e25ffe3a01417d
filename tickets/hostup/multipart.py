"""A form with one file in it, sent in chunks: requests would build the whole body in memory for `files=`."""

import secrets
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from tickets.hostup.types import ANYTHING, type_by_name

CHUNK_BYTES = 64 * 1024


class FileForm:
    """The body of a `multipart/form-data` request (RFC 7578) with `fields` and the file named `file`.

    Iterating over it yields the bytes; its length is how many there will be. `content` must hold `size` bytes.
    """

    def __init__(self, filename: str, content: BinaryIO, size: int, fields: Mapping[str, str]):
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{_escaped(filename)}"\r\n'
            f"Content-Type: {type_by_name(filename) or ANYTHING}\r\n\r\n"
        )
        self._before = "".join(parts).encode()
        self._content = content
        self._size = size
        self._after = f"\r\n--{boundary}--\r\n".encode()

    def __len__(self) -> int:
        return len(self._before) + self._size + len(self._after)

    def __iter__(self) -> Iterator[bytes]:
        self._content.seek(0)
        yield self._before
        while chunk := self._content.read(CHUNK_BYTES):
            yield chunk
        yield self._after


def _escaped(filename: str) -> str:
    """Write a file name as browsers do, so that it cannot end its header."""
    return filename.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
