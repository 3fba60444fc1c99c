"""Whether a TCP port can be listened on, asked before anybody else is started."""

import errno
import socket

from pirunner.up.faults import Exit, StartFault

_HIGHEST = 65535


def require_free(host: str, port: int, variable: str) -> None:
    """Raise StartFault, naming the variable to change, when the port cannot be listened on."""
    if port > _HIGHEST:
        raise StartFault(f"{variable} must be at most {_HIGHEST}, not {port}.", Exit.ENVIRONMENT)
    try:
        _listen(host, port)
    except OSError as error:
        raise StartFault(_sentence(error, host, port, variable), Exit.PORT) from error


def first_free(host: str, port: int) -> int:
    """Return ``port``, or the next free one of the 100 above it, or any free one."""
    for candidate in range(port, min(port + 100, _HIGHEST + 1)):
        try:
            return _listen(host, candidate)
        except OSError:
            continue
    return _listen(host, 0)


def _listen(host: str, port: int) -> int:
    """Listen for an instant and return the port's number.

    Without SO_REUSEPORT on purpose: the server sets it, and two servers would silently share one port.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1)
        return int(listener.getsockname()[1])


def _sentence(error: OSError, host: str, port: int, variable: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken by another program: stop that one, or set {variable} to a free port."
    if error.errno == errno.EACCES:
        return f"Port {port} may be used by root only: set {variable} to a port from 1024 up."
    its_host = variable.replace("PORT", "HOST")
    return f"Cannot listen on {host} port {port}: {error.strerror or error}. Check {its_host} and {variable}."
