"""Agents: a policy with its weights and its record. A folder each: ``agent.safetensors`` and ``card.json``."""
