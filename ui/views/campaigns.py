"""``/campaigns``: all of them, the one that the address names, or a new one (``?new=1``, ``?new=DOMAIN``)."""

from ui.campaign_list import show_campaigns
from ui.links import asked
from ui.links_to_campaigns import said
from ui.new_campaign import show_new_campaign
from ui.one_campaign import show_campaign

if said("new"):
    show_new_campaign()
elif asked("campaigns"):
    show_campaign()
else:
    show_campaigns()
