"""The command line: the only code that knows click, the terminal and exit codes."""

from fupin_cli.cli.main import entry

__all__ = ["entry"]
