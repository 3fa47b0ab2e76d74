"""Track Two: three folders (ontology, data, shapes) become a linked-data site."""

from typing import Any


def __getattr__(name: str) -> Any:
    """`__version__`, looked up when asked for: query workers start sooner without (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415  # takes as long to import as all else of a worker

        return version("tracktwo")
    raise AttributeError(name)
