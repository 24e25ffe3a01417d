"""What would make pages slow without breaking them. How fast they are, `make bench` measures."""

import gzip
import re
from functools import partial

import brotli
import pytest

from sandbox.special_tickets import ATTACHMENTS_ID, SAMPLE_ID


@pytest.mark.parametrize(("path", "queries"), [
    ("/tickets/", 3),  # the session, its agent with the key, the tickets with drafts
    (f"/tickets/{SAMPLE_ID}/", 3),
])  # fmt: skip
def test_a_page_costs_few_queries_and_one_call(agent, sandbox, django_assert_num_queries, path, queries):
    agent.get(path)  # the first request stores when the session began, and the departments
    sandbox.clear_calls()
    with django_assert_num_queries(queries):
        assert agent.get(path).status_code == 200
    assert len(sandbox.calls) == 1


UNPACK = {"gzip": gzip.decompress, "br": brotli.decompress}


@pytest.mark.parametrize(("taken", "encoding"), [("gzip, deflate", "gzip"), ("gzip, deflate, br, zstd", "br")])
def test_a_page_and_a_fragment_come_compressed(agent, taken, encoding):
    for ask in (agent.get, agent.htmx_get):
        plain, packed = ask("/tickets/"), ask("/tickets/", HTTP_ACCEPT_ENCODING=taken)
        assert "Content-Encoding" not in plain.headers
        assert packed.headers["Content-Encoding"] == encoding
        assert "Accept-Encoding" in packed.headers["Vary"]
        assert int(packed.headers["Content-Length"]) == len(packed.content)
        assert UNPACK[encoding](packed.content).count(b'<li class="ticket-row') == 50
        assert len(packed.content) < 12_000
        assert len(plain.content) > 40_000


@pytest.mark.parametrize(("encoding", "pack"), [
    ("gzip", partial(gzip.compress, compresslevel=6)),
    ("br", partial(brotli.compress, quality=3)),
])  # fmt: skip
def test_a_page_compressed_has_no_telling_size(agent, encoding, pack):
    def padding():
        answer = agent.get("/tickets/", HTTP_ACCEPT_ENCODING=encoding)
        return len(answer.content) - len(pack(UNPACK[encoding](answer.content)))

    assert len({padding() for _ in range(8)}) > 3


@pytest.mark.parametrize("path", ["/tickets/", f"/tickets/{SAMPLE_ID}/"])
def test_all_forms_of_a_page_have_one_token_and_the_next_page_another(agent, path):
    """A token takes as long to make as a query, and compresses badly; a constant one could be found out."""
    pages = [
        re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', agent.get(path).content.decode()) for _ in "12"
    ]
    assert all(len(tokens) > 1 for tokens in pages)
    assert [len(set(tokens)) for tokens in pages] == [1, 1]
    assert pages[0] != pages[1]


@pytest.mark.parametrize("encoding", UNPACK)
def test_a_download_is_not_compressed(agent, sandbox, encoding):
    attachment = sandbox.tickets.find(ATTACHMENTS_ID).attachments[0]
    path = f"/tickets/{ATTACHMENTS_ID}/attachments/{attachment.id}/"
    response = agent.get(path, HTTP_ACCEPT_ENCODING=encoding)
    assert "Content-Encoding" not in response.headers
    assert b"".join(response.streaming_content) == attachment.content
