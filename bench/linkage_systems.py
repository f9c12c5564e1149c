"""The systems that are measured: what each is called, and the command that links two files with it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from linkage_data import DATA

BASELINES = Path(__file__).parent / "baselines"
VENV = DATA / "venv"


@dataclass(frozen=True)
class System:
    """A way to link a register and an extract; `model` names the trained model it saves or loads."""

    name: str
    arguments: tuple[str, ...] = ()
    save: str = ""
    load: str = ""

    def command(self, register: Path, extract: Path, output: Path, models: Path) -> list[str]:
        """What to run."""
        files = [str(register), str(extract)]
        if self.name == "fupin":
            return [str(Path(sys.executable).with_name("fupin")), "link", *files, "-o", str(output), "--quiet"]
        if self.name == "floor":
            return [sys.executable, str(BASELINES / "exact_id.py"), *files, str(output)]
        model = [f"--{verb}={models / name}.json" for verb, name in (("save", self.save), ("load", self.load)) if name]
        return [*in_venv("splink_link.py"), *files, str(output), *self.arguments, *model]


SYSTEMS = {
    system.name: system
    for system in (
        System("floor"),
        System("fupin"),
        System("splink doc", ("--model=doc",), save="doc"),
        System("splink cn", ("--model=cn",), save="cn"),
        System("splink doc + keys", ("--model=doc", "--keys"), save="doc-keys"),
        System("splink cn + keys", ("--model=cn", "--keys"), save="cn-keys"),
        System("splink doc, loaded, own 1:1", ("--model=doc", "--one-to-one"), load="doc"),
        System("splink cn + keys, loaded, own 1:1", ("--model=cn", "--one-to-one"), load="cn-keys"),
        System("expert: exact, then cn", ("--model=cn", "--exact-first"), load="cn"),
        System("expert: exact, then cn + keys", ("--model=cn", "--exact-first"), load="cn-keys"),
    )
}
SAME_KEYS = ("splink doc + keys", "splink cn + keys")


def trainer(system: System) -> System | None:
    """The system that trains the model which this one loads."""
    return next((other for other in SYSTEMS.values() if system.load and other.save == system.load), None)


def in_venv(script: str) -> list[str]:
    """How to run a baseline: with the Python of an environment of its own, made now if it is not there."""
    python = VENV / "bin" / "python"
    if not (VENV / "made").exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", BASELINES / "requirements.txt"], check=True)
        (VENV / "made").touch()
    return [str(python), str(BASELINES / script)]
