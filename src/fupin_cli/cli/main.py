"""The commands, listed; each lives in a module of its own, loaded when it is called, so that --help answers at once."""

from __future__ import annotations

import gc
import importlib
import os
import sys

import click

from fupin_cli import __version__
from fupin_cli.cli.boundary import run_guarded
from fupin_cli.language import LANGUAGES, VARIABLE, preferred, speak

COMMANDS = {  # in the order in which an analyst meets them
    "init": "看一个文件夹，写出 fupin.toml 草稿 · look at a folder, draft a project",
    "inspect": "看一个文件怎样被读懂 · show how a file would be read",
    "run": "比对、研判、出疑点清单 · reconcile a project",
    "link": "比对两个文件里的人 · link the people of two files",
    "dedupe": "在一个文件里查重 · find duplicates inside one file",
    "rules": "查看、检查规则 · the rules: list, show, check, test",
    "explain": "说明一人、一户、一条疑点或一条比对关系 · explain a person, household, finding or link",
    "cases": "疑点的下发、反馈、销号 · cases: dispatch, answers, sign-off, memory",
    "visits": "必到户：应到、已到、未到 · must-visit lists and their coverage",
    "sample": "抽样核查：抽户、发表、估计 · audits: draw, send, estimate",
    "cache": "已读文件的缓存：查看、清理 · what was read before: show, prune",
    "synth": "生成虚构人口与数据 · make invented people",
}


# polars' allocator gives memory back after half a second and asks for it again, cleared page by page: a tenth of the time.
# It reads this when polars is loaded.
os.environ.setdefault("_RJEM_MALLOC_CONF", f"dirty_decay_ms:1500,narenas:{os.cpu_count()}")
# numpy's library for matrices, of which there are none here, starts a thread per core that waits by spinning.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Modules are for good: looking for garbage among them while they are loaded, and ever after, costs a twentieth of the time.
gc.disable()


class _Lazy(click.Group):
    """A group that imports a command's module only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"fupin_cli.cli.{cmd_name}")
        gc.freeze()
        gc.enable()
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _speak(ctx: click.Context, _: click.Parameter, language: str | None) -> None:
    if language and not ctx.resilient_parsing:
        speak(language)


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="fupin")
@click.option(
    "--lang", type=click.Choice(LANGUAGES), expose_value=False, is_eager=True, callback=_speak,
    help=f"提示语言 · the language of messages [{VARIABLE}, or the system's]",
)  # fmt: skip
def main() -> None:
    """比对建档立卡台账与部门数据，按政策规则研判，把疑点发到能核查的村。.

    fupin compares a household register with what the departments hold about the same people, judges every household
    against dated, cited rules, and writes Excel lists for the villages that can check.

    \b
    第一次使用 · the first time:
      fupin init FOLDER          look at the files, write fupin.toml
      fupin run FOLDER           reconcile; results in FOLDER/runs/
      fupin explain HOUSEHOLD    why a household got its result
    """


def entry() -> None:
    """Runs the command line and exits with its code."""
    speak(preferred())
    sys.exit(run_guarded(lambda: main(standalone_mode=False)))
