"""The edge: routes, templates, the server."""
