"""From folders to a release: parse, infer, validate, index, dump, describe."""
