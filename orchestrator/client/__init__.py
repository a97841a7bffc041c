"""Organon from anybody's program: ask what to run, run it, tell what came back.

>>> from orchestrator.client import Client
>>> with Client("http://127.0.0.1:8502", token="organon_…", by="bench 3") as organon:
...     campaign = organon.create(domain="enzyme-kinetics", laboratory="manual", batch=2)
...     while (suggestion := organon.ask(campaign, wait=60)) is not None:
...         organon.tell(suggestion.id, {"velocity": measure(suggestion.design)})
...     print(organon.campaign(campaign)["finding"]["text"])

Needs nothing but the standard library.
"""

from orchestrator.client.client import Client as Client
from orchestrator.client.client import Suggestion as Suggestion
from orchestrator.client.connection import ClientError as ClientError
