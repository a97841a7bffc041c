"""The HTTP interface: campaigns, what waits to be run, and what came back. Torch-free."""
