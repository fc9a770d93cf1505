"""The loops that fit networks: one module a network, on `Loop` in loop.py. Losses are functions: nn/losses.py, `Navigator.nats`."""
