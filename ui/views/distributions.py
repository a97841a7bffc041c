"""``/distributions``: all of them, or the one that the address names."""

from ui.distribution_list import show_distributions
from ui.links import asked
from ui.one_distribution import show_distribution

if asked("distributions"):
    show_distribution()
else:
    show_distributions()
