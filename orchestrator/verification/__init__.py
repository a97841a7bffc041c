"""Verification: the chain of the log, the tables against the log, and every decision and belief from their seeds."""
