"""Work that jobs ask for. Each module may load torch; only workers import it."""
