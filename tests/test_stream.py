"""A long answer streams: the web process holds a piece of it at a time, however long it is."""

import re
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent / "bench" / "stream.py"


def test_a_million_rows_are_exported_in_constant_memory() -> None:
    line = [sys.executable, str(SCRIPT), "--rows", "1000000", "--grown-mb", "16"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^ 1,000,000 ", done.stdout, re.MULTILINE)
