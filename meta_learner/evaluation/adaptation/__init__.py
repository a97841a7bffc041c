"""How fast an agent becomes good at a question: curves, and what the literature of transfer reads off them."""
