"""A session without a screen: models, audio output, MIDI and recorder, kept together; it prints nothing and knows no `ui`."""
