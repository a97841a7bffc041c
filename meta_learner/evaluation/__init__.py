"""How much was learned: bounds on information that know nothing of our beliefs, and benchmarks made of them."""
