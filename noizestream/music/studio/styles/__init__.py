"""One module per genre: functions `bass`, `chords`, `lead`, `drums` from a song to stereo sound, and `effects` that mixes them."""
