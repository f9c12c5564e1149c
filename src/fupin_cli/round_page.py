"""What report.html shows of a round: the frames behind it, the round before it, and what whoever runs asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from fupin_cli.errors import InputMissingError
from fupin_cli.intake import Extract, Register, describe
from fupin_cli.judged import Judged
from fupin_cli.language import tr
from fupin_cli.layout import DIGEST
from fupin_cli.linkage.model import to_bits
from fupin_cli.manifest import refuse_changed
from fupin_cli.project import Project
from fupin_cli.report.digest import decided
from fupin_cli.report.english import as_written
from fupin_cli.report.page_cases import chosen
from fupin_cli.report.page_parts import Before, LedgerTable, PageFrames, five_numbers
from fupin_cli.report.page_sources import sources_shown
from fupin_cli.report.rule_trace import trace_cases
from fupin_cli.rulebook import RuleBook, finding_uncompared, labels_of
from fupin_cli.rules import standards
from fupin_cli.rundir import MANIFEST, sha256
from fupin_cli.vocabulary import is_note


@dataclass(frozen=True)
class Page:
    """What whoever runs may ask of the page: persons in full, tables of the ledger, the round before, and their hashes."""

    unmask: bool = False
    ledger: Sequence[LedgerTable] = ()
    before: Before | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def on_record(self) -> dict[str, object]:
        """What the manifest keeps of it."""
        return {"unmasked": self.unmask, **self.inputs}


PLAIN = Page()
_FINDINGS = "findings.parquet"


def page_frames(
    folder: Path,
    project: Project,
    book: RuleBook,
    register: Register,
    extracts: Sequence[Extract],
    links: pl.DataFrame,
    judged: Judged,
    findings: pl.DataFrame,
    cleared: pl.DataFrame,
    page: Page,
) -> PageFrames:
    """What the page reads beside the digest; outcomes in words are read back from `folder`, of the shown cases alone."""
    tables = {"register": register.table} | {extract.source.id: extract.table for extract in extracts}
    identity = ("extract", "name", "id_raw", "id_status")
    persons = register.persons.select(pl.lit("register").alias("extract"), *identity[1:])
    kinds = sorted({extract.source.profile for extract in extracts})
    evidence = {
        kind: pl.concat([e.evidence for e in extracts if e.source.profile == kind], how="diagonal_relaxed")
        for kind in kinds
    }
    outcomes = pl.scan_parquet(folder / "outcomes.parquet")
    cases = chosen(findings)
    decisive = [rule.id for rule in standards(book.packs, project.jurisdiction)]
    return PageFrames(
        findings=findings,
        cleared=cleared,
        decided=decided(outcomes.filter(pl.col("rule_id").is_in(decisive)).collect(), decisive),
        households=register.households,
        links=links,
        sources=sources_shown(
            project.register.as_of,
            describe(extracts),
            pl.concat([table.accounts.with_columns(extract=pl.lit(name)) for name, table in tables.items()]),
            [persons, *(extract.evidence.select(identity) for extract in extracts)],
            links,
        ),
        accept_bits=to_bits(book.model.accept_probability),
        review_bits=to_bits(book.model.review_probability),
        uncompared=finding_uncompared(book.packs),
        traces=trace_cases(
            cases,
            book.packs,
            judged.facts_of(cases["household_id"].drop_nulls().unique()),
            outcomes,
            pl.scan_parquet(folder / "person_outcomes.parquet"),
            evidence,
            labels_of(book.profiles),
            unmask=page.unmask,
        ),
        ledger=page.ledger,
        before=page.before,
        unmask=page.unmask,
        said=as_written(book.every or book.packs, book.profiles),
    )


def round_before(run: Path) -> Before:
    """The round of an earlier run directory.

    Raises InputMissingError where it is none that can be read, BadDataError where it is not as it was written.
    """
    try:
        refuse_changed(run, (DIGEST, _FINDINGS))
        digest = json.loads((run / DIGEST).read_text(encoding="utf-8"))
        found = pl.read_parquet(run / _FINDINGS, columns=["finding_key", "severity"])
        keys = found.filter(~is_note())["finding_key"]
        numbers = tuple(count for _, count, _ in five_numbers(digest))
        return Before(digest["as_of"], numbers, keys, sha256(run / MANIFEST))
    except (InputMissingError, ValueError, KeyError, TypeError):
        raise InputMissingError(
            tr("this is no earlier run"), where=str(run), try_=tr("--previous with a run directory")
        ) from None
