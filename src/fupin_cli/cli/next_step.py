"""What to type next: the commands that follow each other, as lines to copy. Every such word that a command ends with is here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from fupin_cli.errors import typed
from fupin_cli.language import tr
from fupin_cli.layout import CASES, PROJECT_FILE, in_ledger

_WEIGHT = ("veto", "fail", "lead", "dq", "info")


def run_of(project: Path) -> str:
    """The command that reconciles the project in this folder."""
    return typed("fupin", "run", *(() if project in (Path(), Path.cwd()) else (project,)))


def round_of(run: Path, ledger: Path) -> str:
    """The command that books a run."""
    return typed("fupin", "cases", "round", run, *in_ledger(ledger))


def dispatch_from(ledger: Path) -> str:
    """The command that sends out what nobody was asked yet."""
    return tr("{typed} --due YYYY-MM-DD", typed=typed("fupin", "cases", "dispatch", *in_ledger(ledger)))


def import_to(ledger: Path) -> str:
    """The command that books what came back."""
    return tr("{typed} RETURNED/*.xlsx", typed=typed("fupin", "cases", "import", *in_ledger(ledger)))


def look_at_overdue(ledger: Path) -> str:
    """The command that lists what is out and late."""
    return typed("fupin", "cases", "list", "--overdue", *in_ledger(ledger))


def look_at_states(ledger: Path) -> str:
    """The command that tells where the cases stand."""
    return typed("fupin", "cases", "stats", *in_ledger(ledger))


def start_with(folder: str) -> str:
    """The command that begins a project in a folder of received files."""
    return tr("fupin init {folder}  looks at the files and drafts a project", folder=folder)


def rule_to_look_at(tallies: Iterable[tuple[str, str, int]]) -> str | None:
    """Of (rule, severity, findings) the rule of the greatest weight that found most; None where nothing was found."""
    found = Counter[tuple[int, str]]()
    for rule, severity, count in tallies:
        found[_WEIGHT.index(severity) if severity in _WEIGHT else len(_WEIGHT), rule] += count
    return min(found, key=lambda key: (key[0], -found[key], key[1]))[1] if found else None


def after_run(run: Path, project: Path, rule: str | None) -> list[str]:
    """Lines that end a run's summary; `rule` is one that found something."""
    project = project.parent if project.name == PROJECT_FILE else project
    booked = round_of(run, project / CASES)
    if rule is None:
        return [tr("next: {booked}  remember this round", booked=booked)]
    return [
        tr("next: {typed}  which, and why", typed=typed("fupin", "explain", rule, "--run", run)),
        tr("      {booked}  book, to send out", booked=booked),
    ]


def after_round(ledger: Path, to_send: int) -> str:
    """The line that ends the booking of a round; `to_send` are the cases that nobody was asked yet."""
    if not to_send:
        return tr("next: {typed}  nothing is left to send", typed=look_at_states(ledger))
    return tr("next: {dispatch_from}  send out", dispatch_from=dispatch_from(ledger))


def after_dispatch(ledger: Path) -> str:
    """The line that ends a dispatch."""
    return tr("next: {import_to}  when answers are back", import_to=import_to(ledger))


def only_forms(batches: Path) -> str:
    """The line that tells what can be taken back."""
    return tr("  only the workbooks in {batches} are taken back, once they are filled in", batches=batches)


def no_forms(ledger: Path, batches: Path, names: Iterable[str]) -> list[str]:
    """The lines that name lists of a run which were brought back as if they were forms, and tell what is taken back."""
    return [
        *(
            tr("not taken: {name}: a list that fupin run wrote, and no form that was sent out", name=name)
            for name in names
        ),
        tr("  only the workbooks in {batches} are taken back, once they are filled in; to send out:", batches=batches),
        f"  {round_of(Path('RUN'), ledger)}",
        f"  {dispatch_from(ledger)}",
    ]


def after_import(ledger: Path) -> str:
    """The line that ends the booking of answers."""
    return tr("next: {typed}  overdue and contradicting", typed=typed("fupin", "cases", "warn", *in_ledger(ledger)))
