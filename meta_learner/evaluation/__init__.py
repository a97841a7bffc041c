"""Evaluation: how good policies and beliefs are, measured in simulated worlds."""
