"""The edges: audio output and MIDI input, each library imported only when used."""
