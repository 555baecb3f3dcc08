"""The table of contents: everything the house says to the outside, in reading order."""

from __future__ import annotations

from flask import Flask

from blueprints import access, api, cli, headers, languages, web


def register(app: Flask) -> None:
    """Put every door into the application: safety first, then pages, the API and commands."""
    headers.init(app)
    languages.init(app)
    access.init(app)
    web.register(app)
    api.register(app)
    cli.register(app)
