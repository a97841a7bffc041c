"""What happened: domains, campaigns, blocks, runs, experiments and findings, on SQLite or PostgreSQL by one URL.

`models` are the tables, `database` opens them, `record` writes, `queries` reads, `console` answers read-only SQL.
"""
