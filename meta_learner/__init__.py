"""Beliefs, policies, and the step that both meta-training and campaigns take."""
