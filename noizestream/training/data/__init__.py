"""From prepared music to what the loops read: slots, the memory of them, batches."""
