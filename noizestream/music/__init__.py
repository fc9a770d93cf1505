"""Where training audio comes from."""
