"""Worlds: the domain document, its compiler, priors, outcome laws and the catalogue."""
