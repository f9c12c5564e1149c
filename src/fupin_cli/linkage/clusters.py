"""Who belongs together: the connected components of pairs."""

from __future__ import annotations

import numpy as np


def clusters(ours: np.ndarray, theirs: np.ndarray, count: int) -> np.ndarray:
    """For each of `count` things the smallest one that pairs connect it with, itself where none does.

    Every thing takes the smallest that its partners know, and what that one knows in turn, until nothing changes.
    """
    smallest = np.arange(count)
    while True:
        before = smallest.copy()
        np.minimum.at(smallest, ours, before[theirs])
        np.minimum.at(smallest, theirs, before[ours])
        smallest = smallest[smallest]
        if np.array_equal(smallest, before):
            return smallest
