"""The address of a Spark cluster, looked at before anything is read: a slip of the pen is told at once, not after the reading."""

from __future__ import annotations

import re

from fupin_cli.errors import UsageError
from fupin_cli.language import tr

_LOCAL = r"local(\[[^\]]+\])?|local-cluster\[[^\]]+\]"
_HOST = r"(\[[0-9a-fA-F:]+\]|[^\[\]:/,\s]+):[0-9]{1,5}"
_KNOWN = re.compile(rf"{_LOCAL}|yarn|k8s://\S+|spark://{_HOST}(,{_HOST})*")


def refuse_wrong_master(master: str) -> None:
    """Raises UsageError where this is no address of a cluster; whether anybody answers there shows when the session begins."""
    if not _KNOWN.fullmatch(master):
        raise UsageError(
            tr("{master!r} is no address of a cluster", master=master),
            try_=tr(
                "--master with one of: {names}", names="local[*], spark://HOST:7077, yarn, k8s://https://HOST:PORT"
            ),
        )
