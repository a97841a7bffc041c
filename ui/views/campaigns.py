"""``/campaigns``: all of them, or the one that the address names."""

from ui.campaign_list import show_campaigns
from ui.links import asked
from ui.one_campaign import show_campaign

if asked("campaigns"):
    show_campaign()
else:
    show_campaigns()
