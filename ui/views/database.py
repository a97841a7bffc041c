"""``/database``: the record to look through, and to ask in SQL."""

from ui.database_page import show_database

show_database()
