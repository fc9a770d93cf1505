"""The networks: nothing here knows files or devices."""
