"""The model file: what is in it, how it is kept small, and the noise that drives it."""
