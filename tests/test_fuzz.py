"""A few hundred damaged and hostile files, as `make fuzz` opens tens of thousands."""

import pytest

from fuzz_readers import FURTHER, NAMED, main


@pytest.mark.parametrize("kinds", [NAMED, FURTHER], ids=["xlsx xls csv html", "further kinds"])
def test_a_damaged_file_is_read_or_refused(tmp_path, kinds, capsys):
    """Nothing but FupinErrors that quote no cell, no hang, no memory beyond reason."""
    assert main(["--count", "160", "--seed", "7", "--kinds", ",".join(kinds), "--keep", str(tmp_path)]) == 0, (
        capsys.readouterr().out
    )


@pytest.mark.slow
def test_fifty_thousand_damaged_files(tmp_path, capsys):
    """The same for 50,000."""
    assert main(["--count", "50000", "--seed", "1", "--keep", str(tmp_path)]) == 0, capsys.readouterr().out
