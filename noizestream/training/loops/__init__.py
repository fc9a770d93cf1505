"""The loops that fit networks."""
