"""One file a revision; its number is listed in `experiments_db.schema.REVISIONS`."""
