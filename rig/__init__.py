"""What tests and benchmarks share: a JACK server without hardware, clients that play and listen, a player of random weights."""
