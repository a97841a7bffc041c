"""Jobs beside campaigns, each a function that a worker calls. They may load torch."""
