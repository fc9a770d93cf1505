"""The studio: our own music, synthesised from seeded rules, so that a first training needs no download."""

from noizestream.music.studio.compose import compose
from noizestream.music.studio.corpus import write
from noizestream.music.studio.genres import GENRES, Genre
from noizestream.music.studio.oscillators import SAMPLE_RATE

__all__ = ["GENRES", "SAMPLE_RATE", "Genre", "compose", "write"]
