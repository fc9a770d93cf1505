"""Property tests have no time limit of their own, as the machine may be busy, and leave nothing behind."""

from hypothesis import settings

settings.register_profile("noizestream", deadline=None, database=None)
settings.load_profile("noizestream")
