"""``/agents``: all of them, or the one that the address names."""

from ui.agent_list import show_agents
from ui.links import asked
from ui.one_agent import show_agent

if asked("agents"):
    show_agent()
else:
    show_agents()
