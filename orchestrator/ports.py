"""Whether an address is still to be had."""

import socket

from orchestrator.errors import OrganonError


def check_port_is_free(address: str, port: int, what: str, choose: str) -> None:
    """OrganonError where something else listens there; ``choose`` names the option for another."""
    try:
        with socket.create_server((address, port)):
            pass
    except OSError as error:
        raise OrganonError(
            f"{what} cannot use {address}:{port} ({error.strerror}); choose another port with {choose}"
        ) from None
