"""The loop, laboratories, campaigns, the queue, settings and the command line."""
