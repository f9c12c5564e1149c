"""Chinese characters and the names that they make: which are the same, sound alike, look alike or stand for one another."""

from fupin_cli.characters.keys import sound_key
from fupin_cli.characters.levels import NAME_LEVELS
from fupin_cli.characters.names import compare_names
from fupin_cli.characters.surnames import surname_of
from fupin_cli.characters.table import NameTable, folded

__all__ = ["NAME_LEVELS", "NameTable", "compare_names", "folded", "sound_key", "surname_of"]
