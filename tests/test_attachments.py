"""Files: passed on between HostUp and the browser, and never trusted on the way."""

import gzip
import re
import time
from urllib.parse import unquote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.db import OperationalError, connection

from sandbox.faults import gzip_bomb
from sandbox.special_tickets import ATTACHMENTS_ID, ENCRYPTED_ID, SAMPLE_ID
from tests.forms import form_of, messages_with, methods
from tests.full_disk import no_file_gets_longer_than
from tickets import upstream
from tickets.hostup.circuit import State
from tickets.models import Activity
from tickets.sending import MOST_FILES

UPLOAD_URL = f"/tickets/{ENCRYPTED_ID}/upload/"
REPLY_URL = f"/tickets/{ENCRYPTED_ID}/reply/"


def attachments(agent):
    html = agent.get(f"/tickets/{ATTACHMENTS_ID}/").content.decode()
    links = re.findall(r'href="(/tickets/[^"]*/attachments/[^"]*)"', html)
    return [link for link in links if "?preview" not in link]


def test_attachments_download_through_us_and_never_run(agent):
    links = attachments(agent)
    assert len(links) >= 5
    for href in links:
        response = agent.get(href)
        assert response.status_code == 200
        assert len(b"".join(response.streaming_content)) == int(response.headers["Content-Length"])
        assert response.headers["Content-Type"] == "application/octet-stream"
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in response.headers["Content-Security-Policy"]
        assert not re.search(r"\.\.[/\\]|%2F|%E2%80%AE|[\u202e]", response.headers["Content-Disposition"])


@pytest.mark.django_db(transaction=True)  # `close` ends a test's transaction on PostgreSQL
def test_a_file_keeps_its_name_without_its_tricks(agent):
    dispositions = set()
    for href in attachments(agent):
        response = agent.get(href)
        dispositions.add(unquote(response.headers["Content-Disposition"]))
        response.close()
    assert "attachment; filename*=utf-8''räksmörgås på ön.txt" in dispositions
    assert 'attachment; filename="_.._etc_passwd"' in dispositions


def test_a_stranger_cannot_download_it(agent, stranger):
    href = attachments(agent)[0]
    assert stranger.get(href).status_code == 404


def test_a_file_that_is_not_there_is_worded(agent):
    response = agent.get(f"/tickets/{ATTACHMENTS_ID}/attachments/tatt_gone/")
    assert response.status_code == 404
    html = response.content.decode()
    assert "HostUp has no such file" in html
    assert "req_" in html
    assert "style-src 'self'" in response.headers["Content-Security-Policy"]  # a page, not a file


@pytest.mark.parametrize("fault", ["problem_404", "problem_503"])
def test_from_a_file_that_did_not_come_there_is_a_way_back_to_its_ticket(agent, sandbox, fault):
    href = attachments(agent)[0]
    sandbox.fault(fault, path="/attachments/", times=None)
    html = agent.get(href).content.decode()
    assert f'href="/tickets/{ATTACHMENTS_ID}/">View ticket</a>' in html


def test_no_file_is_ever_drawn_into_a_page(agent, sandbox):
    """Not even by the page that offers to try again after HostUp failed."""
    href = attachments(agent)[0]
    sandbox.fault("empty_503", times=None)
    html = agent.get(f"{href}?preview").content.decode()
    assert f'href="{href}?preview"' in html
    assert f'hx-get="{href}' not in html
    sandbox.clear_faults()
    assert agent.htmx_get(href).headers["HX-Reswap"] == "none"


def test_a_file_that_is_too_large_is_worded(agent, sandbox):
    href = attachments(agent)[0]
    sandbox.fault(status=200, body=b"x" * (25 * 1024 * 1024 + 1))
    response = agent.get(href)
    assert response.status_code == 502
    html = response.content.decode()
    assert "The file is too large" in html
    assert "Retry" not in html


def test_a_file_comes_with_its_own_length(agent, sandbox):
    """HostUp's length is that of the compressed file: browsers would wait for more, or cut the file short."""
    href = attachments(agent)[0]
    packed = gzip.compress(b"text")
    sandbox.fault(status=200, body=packed, headers={"Content-Encoding": "gzip"})
    response = agent.get(href)
    assert b"".join(response.streaming_content) == b"text"
    assert response.headers["Content-Length"] == "4"


def test_a_slow_line_takes_a_file_whole(agent, sandbox, settings, monkeypatch):
    """The deadline is for HostUp alone: a phone may need longer for 25 MB than a call may take."""
    href = attachments(agent)[0]
    sandbox.fault(status=200, body=b"x" * 3_000_000)
    response = agent.get(href)
    chunks = response.streaming_content
    taken = len(next(chunks))
    later = time.monotonic() + settings.HOSTUP_FILE_DEADLINE
    monkeypatch.setattr("tickets.hostup.deadline.time.monotonic", lambda: later)
    assert taken + sum(map(len, chunks)) == 3_000_000 == int(response.headers["Content-Length"])


@pytest.mark.parametrize(("fault", "status"), [
    ({"name": "dripping_body"}, 504),
    ({"status": 200, "body": b"x" * 200_000, "truncate": "body"}, 503),
    ({"name": "truncated_headers"}, 503),
    ({"status": 200, "body": b"x" * 200_000, "headers": {"Content-Encoding": "gzip"}}, 502),
    ({"gzip_bomb": 100}, 502),
])  # fmt: skip
def test_a_file_that_breaks_off_on_its_way_is_worded(agent, sandbox, settings, fault, status):
    """Otherwise the browser would call the download failed, and give no reason."""
    gzip_bomb(100)  # made beforehand: compressing it takes longer than the call may
    if status == 504:  # the deadline is what ends this one
        settings.HOSTUP_FILE_DEADLINE = 1.0
    href = attachments(agent)[0]
    sandbox.fault(**fault)
    response = agent.get(href)
    assert response.status_code == status
    assert 'role="alert"' in response.content.decode()
    assert "style-src 'self'" in response.headers["Content-Security-Policy"]  # a page, not a file


def test_a_file_for_which_there_is_no_room_is_worded(agent, sandbox, monkeypatch):
    """Large files wait on disk, where uploads do, and small ones in memory."""
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    href = attachments(agent)[0]
    sandbox.fault(status=200, body=b"x" * 3_000_000)
    response = agent.get(href)
    assert response.status_code == 503
    assert "There is no room for the file" in response.content.decode()
    assert agent.get(href).status_code == 200
    assert upstream.pool().circuit.state == State.CLOSED


@pytest.mark.django_db(transaction=True)  # `close` ends a test's transaction on PostgreSQL
def test_files_give_their_connection_back(agent, sandbox):
    """A download that is not read to its end must not occupy one of the few slots for calls to HostUp."""
    href = attachments(agent)[0]
    for _ in range(30):
        response = agent.get(href)
        assert response.status_code == 200
        response.close()


def test_a_file_that_cannot_be_passed_on_gives_its_place_back(agent, monkeypatch):
    href = attachments(agent)[0]
    with monkeypatch.context() as broken:
        broken.setattr("tickets.views.attachment.content_disposition_header", lambda *_: 1 / 0)
        for _ in range(30):
            with pytest.raises(ZeroDivisionError):
                agent.get(href)
    assert agent.get(href).status_code == 200


def preview(agent, name):
    html = agent.get(f"/tickets/{ATTACHMENTS_ID}/").content.decode()
    (href,) = re.findall(rf'href="([^"]*)\?name={name}"', html)
    return agent.get(f"{href}?preview")


@pytest.mark.parametrize(("name", "kind"), [("screenshot.png", "image/png"), ("invoice.pdf", "application/pdf")])
def test_pictures_and_pdfs_show_sandboxed(agent, name, kind):
    response = preview(agent, name)
    assert response.headers["Content-Type"] == kind
    assert response.headers["Content-Disposition"].startswith("inline")
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_many_pictures_do_not_use_up_what_hostup_lets_this_key_ask(agent, sandbox):
    """A browser requests every thumbnail in view, and each is a call to HostUp."""
    pictures = [{"id": f"tatt_{number}", "filename": "a.png", "mimeType": "image/png"} for number in range(9)]
    sandbox.fault(transform=lambda ticket: ticket | {"attachments": pictures})
    html = agent.get(f"/tickets/{ENCRYPTED_ID}/").content.decode()
    assert html.count('<img class="thumbnail"') == 6
    assert html.count(">View<") == 3


@pytest.mark.parametrize("name", ["page.html", "drawing.svg", "photo.png", "access.log"])
def test_what_only_claims_to_be_a_picture_downloads(agent, name):
    """`photo.png` holds HTML."""
    response = preview(agent, name)
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("charset", ["utf%00", "unicode_escape", "hex", "no-such-charset", "punycode"])
def test_a_file_whose_name_cannot_be_read_downloads(agent, sandbox, charset):
    name = f"{charset.replace('%00', chr(0))}''%5cud800.txt"
    sandbox.fault(status=200, body=b"x", headers={"Content-Disposition": f"attachment; filename*={name}"})
    response = agent.get(f"/tickets/{ATTACHMENTS_ID}/attachments/tatt_1/")
    assert response.status_code == 200
    assert response.headers["Content-Disposition"].startswith("attachment")


def test_a_file_whose_name_takes_long_to_read_comes_soon(agent, sandbox):
    endless = {"Content-Disposition": f'attachment; filename="{";" * 65_000}'}
    sandbox.fault(status=200, body=b"x", headers=endless)
    began = time.process_time()  # CPU time, so that other processes do not count
    assert agent.get(f"/tickets/{ATTACHMENTS_ID}/attachments/tatt_1/").status_code == 200
    assert time.process_time() - began < 1


def test_a_link_s_name_that_cannot_be_written_downloads(agent):
    href = attachments(agent)[0].partition("?")[0]
    half_a_letter = {"Content-Type": "text/plain; charset=utf-7"}
    response = agent.get(f"{href}?name=a%2B2AA-.txt", headers=half_a_letter)
    assert response.status_code == 200
    assert response.headers["Content-Disposition"] == 'attachment; filename="a_.txt"'


def test_a_file_whose_name_comes_twice_downloads(agent, sandbox):
    twice = {"Content-Disposition": "attachment; filename*=UTF-8''a.txt; filename*0=b.txt"}
    sandbox.fault(status=200, body=b"x", headers=twice)
    assert agent.get(f"/tickets/{ATTACHMENTS_ID}/attachments/tatt_1/").status_code == 200


FAILING = ["problem_400", "problem_403", "problem_413", "reset", "lost_answer", "slow"]
FAILING += ["dripping_headers", "dripping_body"]


def file_of(name="notes.txt", content=b"text"):
    return SimpleUploadedFile(name, content)


def test_a_file_goes_up_on_its_own(agent, sandbox):
    response = agent.htmx_post(UPLOAD_URL, {"file": file_of()})
    assert response.status_code == 200
    assert "Attached." in response.content.decode()
    assert methods(sandbox) == ["POST"]
    assert Activity.objects.get().outcome == "done"
    form = form_of(agent, ENCRYPTED_ID)
    agent.htmx_post(f"/tickets/{ENCRYPTED_ID}/reply/", form | {"message": "See the file."})
    assert "notes.txt" in agent.get(f"/tickets/{ENCRYPTED_ID}/").content.decode()


@pytest.mark.parametrize(("name", "way"), [("skärm.PNG", "thumbnail"), ("faktura.pdf", ">View<")])
def test_a_picture_or_pdf_that_went_up_can_be_looked_at(agent, name, way):
    form = form_of(agent, ENCRYPTED_ID) | {"message": "See the file.", "files": [file_of(name)]}
    agent.post(REPLY_URL, form)
    thread = agent.get(f"/tickets/{ENCRYPTED_ID}/").content.decode()
    assert way in thread.partition("See the file.")[2]


@pytest.mark.parametrize("mime_type", [None, "", "application/octet-stream"])
def test_a_picture_whose_type_hostup_does_not_say_can_be_looked_at(agent, sandbox, mime_type):
    picture = {"id": "tatt_1", "filename": "a.png", "mimeType": mime_type}
    sandbox.fault(transform=lambda ticket: ticket | {"attachments": [picture]})
    assert '<img class="thumbnail"' in agent.get(f"/tickets/{ENCRYPTED_ID}/").content.decode()


@pytest.mark.parametrize("fault", FAILING)
def test_a_file_that_fails_is_worded(agent, sandbox, settings, fault):
    settings.HOSTUP_FILE_DEADLINE = 1.0
    if fault == "problem_413":
        sandbox.fault(status=413)
    else:
        sandbox.fault(fault)
    response = agent.htmx_post(UPLOAD_URL, {"file": file_of()})
    assert response.status_code in (403, 422, 503, 504)
    html = response.content.decode()
    assert 'role="alert"' in html
    assert ("Remove the file to send your reply." in html) == (response.status_code == 422)
    assert methods(sandbox) == ["POST"]


def test_a_file_whose_answer_was_lost_is_not_said_to_be_a_change_of_the_ticket(agent, sandbox):
    sandbox.fault("lost_answer", path="attachments", times=2)
    alone = agent.htmx_post(UPLOAD_URL, {"file": file_of()}).content.decode()
    form = form_of(agent, SAMPLE_ID)
    data = form | {"message": "With a file.", "reopen": "1", "files": [file_of()]}
    with_reply = agent.post(f"/tickets/{SAMPLE_ID}/reply/", data).content.decode()
    for html in (alone, with_reply):
        assert "We do not know whether notes.txt was attached" in html
        assert "Send your reply without the file, then check whether it is in the ticket." in html
        assert "could not be reloaded" not in html
    assert "Your reply was not sent." in alone
    assert "The ticket was reopened, but your reply was not sent." in with_reply


@pytest.mark.parametrize(("name", "size", "words"), [
    ("large.zip", 25 * 1024 * 1024 + 1, "larger than 25 MB"),
    ("Setup.EXE", 10, "is a program"),
])  # fmt: skip
def test_what_cannot_be_sent_is_not_sent(agent, sandbox, name, size, words):
    response = agent.htmx_post(UPLOAD_URL, {"file": file_of(name, b"x" * size)})
    assert response.status_code == 422
    assert words in response.content.decode()
    assert sandbox.calls == []


@pytest.mark.parametrize("name", ["example.com", "app.js"])
def test_a_zone_file_and_a_script_are_no_programs(agent, sandbox, name):
    assert agent.htmx_post(UPLOAD_URL, {"file": file_of(name, b"$ORIGIN example.com.")}).status_code == 200


@pytest.fixture
def on_disk(monkeypatch):
    """Return a list that collects the names of the uploaded files that are written to disk."""
    names = []

    def kept(name, *rest):
        names.append(name)
        return TemporaryUploadedFile(name, *rest)

    monkeypatch.setattr("django.core.files.uploadhandler.TemporaryUploadedFile", kept)
    return names


LARGE = b"x" * 3_000_000  # too large to wait in memory


def large_form():
    return {"file": file_of("large.zip", LARGE), "message": "My words."}


@pytest.mark.parametrize("is_forged", [True, False])
@pytest.mark.parametrize("path", [UPLOAD_URL, REPLY_URL, "/tickets/new/", "/healthz", "/no/such"])
def test_no_file_of_whoever_is_not_signed_in_goes_onto_the_disk(visitor, on_disk, path, is_forged):
    visitor.handler.enforce_csrf_checks = is_forged
    response = visitor.post(path, large_form())
    assert 400 <= response.status_code < 500
    assert "My words." in response.content.decode()
    assert on_disk == []


def test_files_go_onto_the_disk_where_they_are_to_be_sent(agent, on_disk):
    for path in ("/tickets/new/", "/settings/key/", "/no/such", UPLOAD_URL, REPLY_URL):
        agent.post(path, large_form())
    assert on_disk == ["large.zip"] * 2


def test_a_database_that_fails_while_files_come_loses_no_text(agent, on_disk):
    def fails(execute, sql, *rest):
        raise OperationalError("database is locked")

    agent.raise_request_exception = False
    with connection.execute_wrapper(fails):
        response = agent.post(REPLY_URL, large_form())
    assert response.status_code == 503
    assert "My words." in response.content.decode()
    assert on_disk == []


@pytest.mark.parametrize(("folder", "most_bytes"), [(None, 1_000_000), (None, 2_999_999), ("/nowhere", 3_000_000)])
def test_a_file_for_which_there_is_no_room_on_its_way_up_takes_no_text_with_it(
    agent, sandbox, monkeypatch, folder, most_bytes
):
    form = form_of(agent, ENCRYPTED_ID)
    sandbox.clear_calls()
    monkeypatch.setattr("tempfile.tempdir", folder)
    with no_file_gets_longer_than(most_bytes):
        files = [file_of("small.txt"), file_of("large.zip", LARGE)]
        response = agent.post(REPLY_URL, {"files": files} | form | {"message": "My words."})
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "10"
    html = response.content.decode()
    assert "There is no room for the file" in html
    assert "My words.</textarea>" in html
    assert sandbox.calls == []

    monkeypatch.setattr("tempfile.tempdir", None)
    data = form | {"message": "My words.", "files": file_of("large.zip", LARGE)}
    assert agent.post(REPLY_URL, data).status_code == 302


def test_no_file_is_no_file_to_take_out(agent):
    html = agent.htmx_post(UPLOAD_URL).content.decode()
    assert "Choose a file first." in html
    assert "Remove it" not in html


def test_files_travel_with_the_form_too(agent, sandbox):
    """Without JavaScript, each file is uploaded and the ticket is read again before the text is sent."""
    form = form_of(agent, ENCRYPTED_ID)
    sandbox.clear_calls()
    files = [file_of("one.txt"), file_of("två.txt")]
    response = agent.post(f"/tickets/{ENCRYPTED_ID}/reply/", form | {"message": "Two files.", "files": files})
    assert response.status_code == 302
    assert methods(sandbox) == ["GET", "POST", "POST", "GET", "POST", "GET"]
    html = agent.get(f"/tickets/{ENCRYPTED_ID}/").content.decode()
    assert "one.txt" in html
    assert "två.txt" in html


def test_a_reply_takes_ten_files_and_no_more(agent, sandbox):
    form = form_of(agent, ENCRYPTED_ID)
    names = [f"{number}.txt" for number in range(MOST_FILES + 1)]
    reply = form | {"message": "Many files.", "files": [file_of(name) for name in names]}
    refused = agent.post(REPLY_URL, reply)
    assert refused.status_code == 422
    assert "At most 10 files at a time." in refused.content.decode()
    assert "POST" not in methods(sandbox)
    reply = form_of(agent, ENCRYPTED_ID) | {
        "message": "Many files.",
        "files": [file_of(name) for name in names[1:]],
    }
    assert agent.post(REPLY_URL, reply).status_code == 302
    (message,) = messages_with(sandbox, "Many files.", ENCRYPTED_ID)
    assert [attachment.filename for attachment in message.attachments] == names[1:]


def test_files_that_are_also_to_be_cleared_travel_all_the_same(agent, sandbox):
    """No form of ours sends `files-clear`, but Django's usual file field would obey it."""
    form = form_of(agent, ENCRYPTED_ID) | {"message": "One file.", "files": [file_of()], "files-clear": "on"}
    assert "Sent." in agent.post(f"/tickets/{ENCRYPTED_ID}/reply/", form, follow=True).content.decode()
    assert len(sandbox.tickets.find(ENCRYPTED_ID).messages[-1].attachments) == 1


def test_a_ticket_that_cannot_be_looked_at_after_its_files_holds_the_text_back(agent, sandbox):
    form = form_of(agent, ENCRYPTED_ID) | {"message": "One file.", "files": [file_of("one.txt")]}
    sandbox.fault("problem_500", method="GET", skip=1)
    response = agent.post(f"/tickets/{ENCRYPTED_ID}/reply/", form)
    assert response.status_code == 503
    html = response.content.decode()
    assert "Your reply was not sent." in html
    assert "leave out what is already attached: one.txt." in html
    assert "One file.</textarea>" in html
    assert "messages" not in [call.path.rsplit("/", 1)[1] for call in sandbox.calls]


def test_a_file_that_fails_holds_the_text_back_and_keeps_it(agent, sandbox):
    form = form_of(agent, ENCRYPTED_ID)
    sandbox.fault("problem_400", path="attachments", skip=1)
    files = [file_of("one.txt"), file_of("two.txt")]
    response = agent.post(f"/tickets/{ENCRYPTED_ID}/reply/", form | {"message": "Two files.", "files": files})
    assert response.status_code == 422
    html = response.content.decode()
    assert "The file two.txt could not be attached" in html
    assert "When you try again, leave out what is already attached: one.txt." in html
    assert "Two files.</textarea>" in html
    assert not messages_with(sandbox, "Two files.", ENCRYPTED_ID)


def test_a_text_that_is_refused_after_its_files_tells_that_they_are_up(agent, sandbox):
    form = form_of(agent, ENCRYPTED_ID)
    sandbox.fault("problem_400", path="messages")
    data = form | {"message": "A file.", "files": [file_of("one.txt")]}
    html = agent.post(f"/tickets/{ENCRYPTED_ID}/reply/", data).content.decode()
    assert "Your reply was not sent." in html
    assert "leave out what is already attached: one.txt." in html


def test_a_closed_ticket_is_reopened_before_the_files(agent, sandbox):
    form = form_of(agent, SAMPLE_ID)
    sandbox.clear_calls()
    data = form | {"message": "With a file.", "reopen": "1", "files": [file_of()]}
    agent.post(f"/tickets/{SAMPLE_ID}/reply/", data)
    paths = [call.path.rpartition("/")[2] for call in sandbox.calls if call.method == "POST"]
    assert paths == ["reopen", "attachments", "messages"]
