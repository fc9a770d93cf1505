"""Fits a model to a music library and exports it."""
