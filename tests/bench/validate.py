"""How long the whole publication takes to read, to infer and to validate, in one run.

    python tests/bench/validate.py --publication . --seconds 10

Ends with 1 if the validation takes longer than `--seconds` of the processor, the best of `--times` runs.
"""

import argparse
import itertools
import sys
import time
from pathlib import Path

from tracktwo import publication as publications
from tracktwo.release.infer import infer
from tracktwo.release.load import read
from tracktwo.release.validate import validate

ROOT = Path(__file__).resolve().parent.parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--publication", type=Path, default=ROOT)
    parser.add_argument("--seconds", type=float, default=10, help="what the validation may take of the processor")
    parser.add_argument("--times", type=int, default=3)
    arguments = parser.parse_args()
    publication = publications.load(arguments.publication)
    runs = []
    for _ in range(arguments.times):
        marks = [time.process_time()]
        given = read(publication)
        marks.append(time.process_time())
        inferred = infer(publication, given)
        marks.append(time.process_time())
        report = validate(publication, given, inferred)
        marks.append(time.process_time())
        runs.append([later - earlier for earlier, later in itertools.pairwise(marks)])
    reading, inferring, validating = (min(column) for column in zip(*runs, strict=True))
    print(f"{len(given.quads)} statements, {report.shapes} shapes, best of {arguments.times}")
    print(f"read {reading:.2f} s, infer {inferring:.2f} s, validate {validating:.2f} s of the processor")
    print(f"validate : read + infer = {validating / (reading + inferring):.1f}")
    sys.exit(validating > arguments.seconds)


if __name__ == "__main__":
    main()
