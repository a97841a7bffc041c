"""Addresses of this machine alone."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")
