"""Property tests draw the same cases each time, have no time limit, as the machine may be busy, and leave nothing behind."""

from hypothesis import settings

settings.register_profile("noizestream", deadline=None, database=None, derandomize=True)
settings.load_profile("noizestream")
