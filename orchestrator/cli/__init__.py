"""The command line: ``organon …``."""
