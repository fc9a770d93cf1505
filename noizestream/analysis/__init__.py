"""Pictures and measures of audio."""
