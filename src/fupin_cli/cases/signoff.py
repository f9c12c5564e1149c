"""Whether a case may be closed: everybody of the chain has signed its answer, in order, and its documents are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # rules are much to load for whoever only lists cases
    from fupin_cli.rules import SignOff


def settled(
    chain: SignOff, case: Mapping[str, Any], signatures: Sequence[Mapping[str, Any]], filed: Sequence[str]
) -> list[str]:
    """What still keeps an answered case open, in words; nothing where it may be closed.

    `signatures` are the `signed` details of the case's present answer (step, by, on), `filed` the names of documents.
    """
    days: dict[str, str] = {}
    for signature in signatures:
        days.setdefault(str(signature["step"]), str(signature.get("on") or ""))
    lacking = [f"缺{step}签字" for step in chain.steps if step not in days]
    if not lacking and chain.ordered:
        signed = [days[step] for step in chain.steps if days[step]]
        lacking += ["签字未逐级（日期倒序）"] if signed != sorted(signed) else []
    there = "、".join([str(case.get("material") or ""), *filed])
    lacking += [f"缺{document}" for document in chain.documents if document not in there]
    if case.get("verdict") in chain.material_for and not there.strip("、"):
        lacking.append("缺佐证材料")
    return lacking
