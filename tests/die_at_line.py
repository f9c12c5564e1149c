"""Runs fupin and kills itself at the Nth line of the ledger's own code: python die_at_line.py N fupin-words….

With N = 0 it lives, and prints how many lines there were.
"""

import os
import signal
import sys
from pathlib import Path

import fupin_cli
from fupin_cli.cli.boundary import run_guarded
from fupin_cli.cli.main import main

HOME = Path(fupin_cli.__file__).parent
WATCHED = {
    str(HOME / name)
    for name in ("casework.py", "feedback.py", "rundir.py", "report/dispatch.py", "cases/ledger.py", "cases/keys.py")
}


def watch(last: int) -> list[int]:
    """Counts lines in the list that comes back, and dies at the given one."""
    seen = [0]

    def line(frame, event, argument):
        seen[0] += event == "line"
        if seen[0] == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return line

    sys.settrace(lambda frame, _event, _argument: line if frame.f_code.co_filename in WATCHED else None)
    return seen


if __name__ == "__main__":
    lines = watch(int(sys.argv[1]))
    code = run_guarded(lambda: main(sys.argv[2:], standalone_mode=False))
    sys.settrace(None)
    if sys.argv[1] == "0":
        sys.stderr.write(f" {lines[0]}\n")
    sys.exit(code)
