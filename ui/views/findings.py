"""``/findings``: all of them, one that the address names, or several side by side."""

from ui.finding_comparison import compared, show_comparison
from ui.finding_list import show_findings
from ui.links import asked
from ui.one_finding import show_finding

if asked("findings"):
    show_finding()
elif compared():
    show_comparison()
else:
    show_findings()
