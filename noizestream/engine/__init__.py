"""Stepping a model in real time or to a file; imports no device library."""
