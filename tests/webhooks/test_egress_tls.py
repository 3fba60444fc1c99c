"""The checked client under TLS: names, authorities, deadlines."""

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.webhooks.loopback import OK, Server, client, drip, resolver_of
from webhooks.egress import (
    DeadlineExceeded,
    TlsFailed,
)

# -- TLS ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a key and a certificate for ``nas.test`` that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "nas.test")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("nas.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "nas.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + certificate.public_bytes(pem))
    return file


@pytest.fixture
def serve_tls(serve, authority: Path) -> Callable[..., Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    return lambda answer=OK: serve(answer, context)


@pytest.mark.parametrize("host", ["nas.test", "127.0.0.1"])
def test_a_trusted_certificate_of_the_right_name_is_accepted(serve_tls, authority: Path, host: str) -> None:
    server = serve_tls()
    trusting = client(
        "127.0.0.1", resolver=resolver_of("127.0.0.1"), tls=ssl.create_default_context(cafile=str(authority))
    )

    assert trusting.post(f"https://{host}:{server.port}/", b"x" * 100_000, {}).body == b"ok"


@pytest.mark.parametrize(("host", "trusted"), [("other.test", True), ("nas.test", False)])
def test_a_certificate_of_another_name_or_authority_is_refused(
    serve_tls, authority: Path, host: str, trusted: bool
) -> None:
    server = serve_tls()
    tls = ssl.create_default_context(cafile=str(authority)) if trusted else None
    checking = client("127.0.0.1", resolver=resolver_of("127.0.0.1"), tls=tls)

    with pytest.raises(TlsFailed):
        checking.get(f"https://{host}:{server.port}/")
    assert server.requests == []


def test_a_tls_handshake_that_hangs_ends_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]

        with pytest.raises(DeadlineExceeded):
            client(f"127.0.0.1:{port}", total_timeout=0.15).get(f"https://127.0.0.1:{port}/")


def test_a_slow_answer_under_tls_ends_at_the_deadline(serve_tls, authority: Path) -> None:
    server = serve_tls(drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"))
    trusting = client(server.entry, tls=ssl.create_default_context(cafile=str(authority)), total_timeout=0.15)

    with pytest.raises(DeadlineExceeded):
        trusting.get(f"https://127.0.0.1:{server.port}/")


def test_a_receiver_that_reads_slowly_under_tls_ends_at_the_deadline(authority: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)

    def sip(listener: socket.socket) -> None:
        # Steady enough that no single record ever waits for as long as the deadline.
        with contextlib.suppress(OSError), context.wrap_socket(listener.accept()[0], server_side=True) as stream:
            while stream.recv(16_384):
                time.sleep(0.01)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=sip, args=(listener,), daemon=True).start()
        port = listener.getsockname()[1]
        trusting = client(f"127.0.0.1:{port}", tls=ssl.create_default_context(cafile=str(authority)), total_timeout=0.3)
        begun = time.monotonic()

        with pytest.raises(DeadlineExceeded):
            trusting.post(f"https://127.0.0.1:{port}/", b"x" * 20_000_000, {})

    assert time.monotonic() - begun < 1.5
