"""Runs a stage function over parts: in threads of this process, or on the executors of a Spark cluster; nothing else.

A stage function can be imported by its name. It takes what all parts share, one part, and a folder for files, and gives back what
is small; which parts share a call, in which order and on which computer they are worked on changes nothing of it.
"""

from fupin_cli.engine.threads import SIDE_BY_SIDE, Engine, Kept, Threads

__all__ = ["SIDE_BY_SIDE", "Engine", "Kept", "Threads"]
