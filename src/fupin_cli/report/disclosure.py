"""Small counts that may be shown to anybody: fewer than five persons are “<5”, and no sum gives them away.

Hiding one cell of a row whose total is printed hides nothing: the reader subtracts. So where the hidden cells could be told
from their sum, the next smallest cell is hidden too, as “…”.
"""

from __future__ import annotations

from collections.abc import Sequence

SMALLEST = 5
FEW, WITHHELD = f"<{SMALLEST}", "…"


def disclosed(counts: Sequence[int]) -> list[str]:
    """What may be printed for each of the counts, which stand beside their exact sum."""
    hidden = {at for at, count in enumerate(counts) if 0 < count < SMALLEST}
    others = sorted((count, at) for at, count in enumerate(counts) if count >= SMALLEST)
    while hidden and others and _told_by_sum([counts[at] for at in hidden]):
        hidden.add(others.pop(0)[1])
    return [_shown(count, withheld=at in hidden) for at, count in enumerate(counts)]


def shown(count: int) -> str:
    """What may be printed for one count that stands alone."""
    return _shown(count, withheld=False)


def _told_by_sum(hidden: Sequence[int]) -> bool:
    return len(hidden) == 1 or sum(hidden) in {len(hidden), len(hidden) * (SMALLEST - 1)}


def _shown(count: int, *, withheld: bool) -> str:
    if 0 < count < SMALLEST:
        return FEW
    return WITHHELD if withheld else f"{count:,}"
