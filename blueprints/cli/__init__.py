"""The command line: `flask price`, `flask clear` and their like; each reads, calls one service, prints."""

from __future__ import annotations

from flask import Flask

from blueprints.cli.contracts import contracts
from blueprints.cli.price import price


def register(app: Flask) -> None:
    """Add the commands to the application."""
    app.cli.add_command(price)
    app.cli.add_command(contracts)
