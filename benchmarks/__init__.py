"""Programs that measure noizestream, one file each, and what they share as programs (program.py)."""
