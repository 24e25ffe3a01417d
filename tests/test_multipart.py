"""A file's upload: byte for byte what RFC 7578 says, whatever its name is, and never whole in memory."""

import io
import re

from tickets.hostup.multipart import CHUNK_BYTES, FileForm


def test_it_is_a_form_with_the_fields_and_the_file():
    form = FileForm("notes.txt", io.BytesIO(b"text"), 4, {"ticketId": "tkt_1"})
    (boundary,) = re.fullmatch(r"multipart/form-data; boundary=([0-9a-f]{32})", form.content_type).groups()
    body = b"".join(form)
    assert len(form) == len(body)
    assert body.decode().split("\r\n") == [
        f"--{boundary}",
        'Content-Disposition: form-data; name="ticketId"',
        "",
        "tkt_1",
        f"--{boundary}",
        'Content-Disposition: form-data; name="file"; filename="notes.txt"',
        "Content-Type: text/plain",
        "",
        "text",
        f"--{boundary}--",
        "",
    ]


def test_no_two_forms_have_the_same_boundary():
    """A file that contained the boundary would end there."""
    assert FileForm("a", io.BytesIO(), 0, {}).content_type != FileForm("a", io.BytesIO(), 0, {}).content_type


def test_a_name_cannot_end_its_header():
    body = b"".join(FileForm('a"\r\nb.txt', io.BytesIO(), 0, {}))
    assert b'filename="a%22%0D%0Ab.txt"\r\n' in body


def test_a_file_is_read_piece_by_piece_and_from_its_start_each_time():
    form = FileForm("a", io.BytesIO(b"x" * (3 * CHUNK_BYTES)), 3 * CHUNK_BYTES, {})
    for _ in range(2):
        pieces = list(form)
        assert len(pieces) == 5
        assert max(map(len, pieces)) == CHUNK_BYTES
