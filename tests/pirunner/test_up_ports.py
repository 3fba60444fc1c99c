"""Ports, looked at before anybody is started."""

import socket

import pytest

from pirunner.up import ports
from pirunner.up.faults import Exit, StartFault


def test_a_free_port_is_no_fault():
    ports.require_free("127.0.0.1", ports.first_free("127.0.0.1", 20_000), "PORT")


@pytest.mark.parametrize("shared", [False, True])
def test_a_taken_port_is_one_sentence(shared: bool):
    with socket.socket() as listener:
        # A server that shares its port (SO_REUSEPORT), as granian does, must be seen too.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(shared))
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]

        with pytest.raises(StartFault, match=f"^Port {port} is taken .* set PORT to a free port") as fault:
            ports.require_free("127.0.0.1", port, "PORT")

        assert fault.value.exit_code == Exit.PORT
        assert ports.first_free("127.0.0.1", port) > port


def test_the_variables_of_the_port_are_named():
    with pytest.raises(StartFault, match=r"Check CALLBACK_HOST and CALLBACK_PORT"):
        ports.require_free("192.0.2.1", 9999, "CALLBACK_PORT")


def test_an_address_of_another_machine_is_one_sentence():
    with pytest.raises(StartFault, match=r"^Cannot listen on 192\.0\.2\.1 port 8787: .* Check HOST and PORT"):
        ports.require_free("192.0.2.1", 8787, "PORT")


def test_a_number_that_is_no_port_is_one_sentence():
    with pytest.raises(StartFault, match=r"^PORT must be at most 65535, not 70000\.$"):
        ports.require_free("127.0.0.1", 70_000, "PORT")
