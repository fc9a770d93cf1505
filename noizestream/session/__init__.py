"""A performance without a screen: models, audio output, MIDI, recorder, kept together."""
