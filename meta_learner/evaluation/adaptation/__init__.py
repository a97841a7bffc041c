"""How fast an agent becomes good at a question: curves, and what the reinforcement-learning literature reads off them."""
