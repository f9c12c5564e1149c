"""Whether a case may be closed: everybody of the chain has signed its answer, in order, and its documents are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fupin_cli.cases.schema import CORRECTING, NOT_SO

if TYPE_CHECKING:  # rules are much to load for whoever only lists cases
    from fupin_cli.rules import SignOff


_IN_ENGLISH = {
    "签字未逐级（日期倒序）": "signatures out of order",
    "一人签了多个环节": "one hand signed several steps",
    "“是否属实”与“处理意见”矛盾": "what is so and what is done contradict each other",
    "缺佐证材料": "proof",
}


def in_english(lack: str) -> str:
    """What `settled` says, in English; steps and documents are called as the chain calls them."""
    what = lack.removeprefix("缺")
    return _IN_ENGLISH.get(lack) or (f"signature: {what.removesuffix('签字')}" if lack.endswith("签字") else what)


def contradicts(verdict: object, action: object) -> bool:
    """Whether an answer says that a clue is not so, and that the register is corrected because of it."""
    return verdict == NOT_SO and action in CORRECTING


def settled(
    chain: SignOff, case: Mapping[str, Any], signatures: Sequence[Mapping[str, Any]], filed: Sequence[str]
) -> list[str]:
    """What still keeps an answered case open, in words; nothing where it may be closed.

    `signatures` are the `signed` details of the case's present answer (step, by, on), `filed` the names of documents.
    """
    steps = {signature["step"] for signature in signatures}
    lacking = [f"缺{step}签字" for step in chain.steps if step not in steps] + faults(chain, signatures)
    if contradicts(case.get("verdict"), case.get("action")):
        lacking.append("“是否属实”与“处理意见”矛盾")
    there = "、".join(filter(None, [case.get("material"), *filed]))
    lacking += [f"缺{document}" for document in chain.documents if document not in there]
    if case.get("verdict") in chain.material_for and not there:
        lacking.append("缺佐证材料")
    return lacking


def faults(chain: SignOff, signatures: Sequence[Mapping[str, Any]]) -> list[str]:
    """Why signatures cannot stand together, in words that name no person: days out of order, one hand in several steps."""
    first: dict[str, Mapping[str, Any]] = {}
    for signature in signatures:
        first.setdefault(str(signature["step"]), signature)
    told = [first[step] for step in chain.steps if step in first]
    days = [str(one["on"]) for one in told if one.get("on")]
    found = ["签字未逐级（日期倒序）"] if chain.ordered and days != sorted(days) else []
    signers = ["".join(str(one["by"]).split()) for one in told if one.get("by")]
    if not chain.same_signer and len(set(signers)) < len(signers):
        found.append("一人签了多个环节")
    return found
