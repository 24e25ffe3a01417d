"""What holds over TLS. HostUp speaks it and the sandbox does not, so here TLS ends in front of the sandbox."""

import socket
import ssl
import threading
import time
from contextlib import suppress

import pytest

from sandbox import keys
from sandbox.special_tickets import ENCRYPTED_ID, SAMPLE_ID
from tests import fault_servers
from tests.fault_servers import HOST, certificate_for
from tickets.hostup import errors
from tickets.hostup.client import Pool

CALL_SECONDS = 0.8
CERTIFICATE = certificate_for(HOST)


@pytest.fixture
def certificate():
    return CERTIFICATE


@pytest.fixture
def port(sandbox, certificate):
    """Run a TLS server that passes everything on to the sandbox, and yield its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)

    def pass_on(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        finally:
            source.close()
            target.close()

    def serve(listener):
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return  # the test is over
            try:
                outside = context.wrap_socket(plain, server_side=True)
            except OSError:
                continue  # a client that does not trust us
            inside = socket.create_connection((HOST, sandbox.port))
            for pair in ((outside, inside), (inside, outside)):
                threading.Thread(target=pass_on, args=pair, daemon=True).start()

    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def client_to(port, ca_bundle, scheme="https", proxy=None):
    url, seconds = f"{scheme}://{HOST}:{port}", {"call_seconds": CALL_SECONDS, "file_seconds": CALL_SECONDS}
    return Pool(url, **seconds, most_at_once=2, ca_bundle=ca_bundle, proxy=proxy).client(keys.FULL)


def test_an_intranet_s_own_authority_is_trusted_when_it_is_named(port, sandbox):
    client = client_to(port, CERTIFICATE.authority)
    assert client.tickets().tickets
    assert client.reopen(SAMPLE_ID).status == "open"
    assert sandbox.calls[0].key_name == "FULL"


@pytest.mark.parametrize("certificate", [certificate_for(HOST, to_the_letter=False)], ids=["not to the letter"])
def test_an_authority_is_trusted_that_browsers_trust_on_every_python(port, sandbox, certificate):
    assert client_to(port, certificate.authority).tickets().tickets


@pytest.mark.parametrize("fault", ["slow", "dripping_headers"])
def test_through_a_proxy_a_change_is_sent_once_and_held_to_its_time(port, sandbox, fault):
    with fault_servers.proxy_that_leads() as (proxy, _):
        client = client_to(port, CERTIFICATE.authority, proxy=proxy)
        assert client.reopen(SAMPLE_ID).status == "open"
        sandbox.fault(fault, times=None)
        began = time.monotonic()
        with pytest.raises(errors.OutcomeUnknown):
            client.close(SAMPLE_ID)
    assert time.monotonic() - began < CALL_SECONDS + 2
    assert [call.path.rpartition("/")[2] for call in sandbox.calls] == ["reopen", "close"]


def test_a_change_that_never_left_is_sent_once_more_and_whole(port, sandbox):
    with fault_servers.hanging_up_once(port) as way:
        message = client_to(way, CERTIFICATE.authority).reply(ENCRYPTED_ID, "Only once.")
    assert message.body == "Only once."
    assert [(call.method, call.path.rpartition("/")[2]) for call in sandbox.calls] == [("POST", "messages")]


def test_through_a_proxy_that_speaks_tls_itself_nothing_is_sent(port, sandbox):
    """The settings allow no such proxy. With one, a slow change would count as never sent, and be sent twice."""
    with fault_servers.proxy_that_leads(CERTIFICATE) as (proxy, _), pytest.raises(errors.Unsafe):
        client_to(port, CERTIFICATE.authority, proxy=proxy).reopen(SAMPLE_ID)
    assert not sandbox.calls


def test_a_stranger_s_certificate_is_refused_before_the_key_is_sent(port, sandbox):
    with pytest.raises(errors.Unavailable):
        client_to(port, None).reopen(SAMPLE_ID)
    assert sandbox.calls == []


def test_what_is_said_of_a_change_that_was_tried_twice_is_true_of_the_second_time():
    """Here the server hangs up at the first try, and at the second cannot prove that it is HostUp."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE.chain, CERTIFICATE.key)

    def serve(listener):
        with listener.accept()[0] as first:
            first.recv(65536)
        with suppress(ssl.SSLError), listener.accept()[0] as second:
            context.wrap_socket(second, server_side=True)

    with socket.create_server((HOST, 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        with pytest.raises(errors.Unsafe):
            client_to(listener.getsockname()[1], None).reopen(SAMPLE_ID)
        thread.join()


@pytest.mark.parametrize("fault", ["slow", "dripping_headers", "dripping_body"])
def test_the_deadline_holds(port, sandbox, fault):
    sandbox.fault(fault)
    began = time.monotonic()
    with pytest.raises(errors.TooSlow):
        client_to(port, CERTIFICATE.authority).tickets()
    assert time.monotonic() - began < CALL_SECONDS + 1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_deadline_holds_for_a_server_that_does_not_read(scheme):
    """The file is larger than the system's socket buffers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE.chain, CERTIFICATE.key)
    with socket.create_server((HOST, 0)) as listener:
        taken = []

        def take():
            connection = listener.accept()[0]
            taken.append(context.wrap_socket(connection, server_side=True) if scheme == "https" else connection)

        answering = threading.Thread(target=take)
        answering.start()
        client = client_to(listener.getsockname()[1], CERTIFICATE.authority, scheme)
        began = time.monotonic()
        with pytest.raises(errors.OutcomeUnknown) as caught:
            client.upload(SAMPLE_ID, "large.bin", Endless(), 50_000_000)
        assert caught.value.too_slow
        assert time.monotonic() - began < CALL_SECONDS + 1
        answering.join()
        for connection in taken:
            connection.close()


class Endless:
    def seek(self, position):
        pass

    def read(self, size):
        return b"x" * size
