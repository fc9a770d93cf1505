"""The worker beside the callback, and the shared memory between them: the only room that touches it."""
