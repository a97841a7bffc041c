"""The universal experimenter: a policy over tables of [designs × hypotheses], whatever the domain behind them."""
