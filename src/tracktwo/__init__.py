"""Track Two: three folders (ontology, data, shapes) become a linked-data site."""

from importlib.metadata import version

__version__ = version("tracktwo")
