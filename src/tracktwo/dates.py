"""Dates as precise as their sources are: days, months and years, and which of them say the same.

Dates are written as XSD has them (`2020`, `2020-10`, `2020-10-05`), so that one that contains another begins it.
"""

from collections.abc import Sequence

from tracktwo.namespaces import DCTERMS, PROV, SCHEMA, XSD

#: Datatypes of dates.
DATES = (XSD.date, XSD.dateTime, XSD.gYear, XSD.gYearMonth)

#: Which properties say when something began, or happened, and when it ended; best first.
STARTS = (SCHEMA.startDate, PROV.startedAtTime, DCTERMS.date, DCTERMS.issued, SCHEMA.datePublished, DCTERMS.created)
ENDS = (SCHEMA.endDate, PROV.endedAtTime)

#: Which of them are the two ends of one time.
SPANS = tuple(zip(STARTS, ENDS, strict=False))


def contains(wider: str, narrower: str) -> bool:
    """Is the second date a part of the first: a day of that month or year, a month of that year, a time of that day?"""
    return narrower.startswith(wider) and narrower[len(wider) : len(wider) + 1] in ("-", "T")


def precise(dates: Sequence[str]) -> list[str]:
    """Those of the dates that contain no other of them, each once: what is left when all that agree say it once."""
    return [date for date in dict.fromkeys(dates) if not any(contains(date, other) for other in dates)]
