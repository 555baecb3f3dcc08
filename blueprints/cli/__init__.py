"""The command line: `flask price`, `flask clear` and their like; each reads, calls one service, prints."""

from __future__ import annotations

from flask import Flask

from blueprints.cli.bureau import bureau
from blueprints.cli.clear import clear
from blueprints.cli.contracts import contracts
from blueprints.cli.lpr import lpr
from blueprints.cli.price import price
from blueprints.cli.proof import proof


def register(app: Flask) -> None:
    """Add the commands to the application."""
    app.cli.add_command(price)
    app.cli.add_command(clear)
    app.cli.add_command(contracts)
    app.cli.add_command(bureau)
    app.cli.add_command(lpr)
    app.cli.add_command(proof)
