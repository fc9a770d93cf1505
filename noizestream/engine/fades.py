"""How long fades last, in seconds: all that the music is faded by outside of a model."""

OPENING_S = 0.005
"""A stream opens so, and closes; also around samples that were no numbers."""

START_STOP_S = 0.01
"""At start and stop of a session, at an underrun and after it."""

CROSSFADE_S = 0.2
"""From one model to another."""

GAIN_S = 0.005
"""A volume or balance change of the whole range takes this long, or one period where that is shorter: no zipper noise."""

LEAST_GAIN_FRAMES = 64

JOIN_S = 0.003
"""Over so long two versions of the music that do not follow each other are brought together."""
