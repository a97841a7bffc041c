"""A domain with every kind of design, a constraint, a cost and two kinds of outcomes, for tests; its goal is GOAL."""

MIXED = """
format: 1
name: mixed
title: Every kind of design, a constraint and a cost
designs:
  dose: {real: [0.1, 10], scale: log}
  count: {integer: [1, 6]}
  heat: {levels: [10, 20, 40]}
  strain: {choice: [wild, mutant]}
constraints: ["dose + count <= 9"]
parameters: {slope: {prior: {normal: [0, 1]}}, gain: {prior: {lognormal: [0, 0.5]}}}
mechanisms:
  additive: {let: {mu: "slope * log(dose) + where(strain == 'mutant', gain, 0)"}}
  product: {let: {mu: "slope * gain * log(dose) * heat / 20"}}
outcomes:
  level: {normal: {mean: mu, sd: 0.5 / sqrt(count)}}
  alive: {bernoulli: {p: sigmoid(mu)}}
cost: 0.5 + 0.5 * count
budget: 7
goal: GOAL
"""
