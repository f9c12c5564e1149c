"""Who is the same person: blocking → comparison → weights → assignment, once per extract and stage."""

from fupin_cli.linkage.declared import find_declared_duplicates, link_declared
from fupin_cli.linkage.model import Model, load_model
from fupin_cli.linkage.stages import find_duplicates, link_long, link_people

__all__ = [
    "Model",
    "find_declared_duplicates",
    "find_duplicates",
    "link_declared",
    "link_long",
    "link_people",
    "load_model",
]
