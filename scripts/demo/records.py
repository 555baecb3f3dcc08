"""Contracts as a bureau publishes them: imported with their payments, some of them not financeable."""

from __future__ import annotations

from datetime import date

from scripts.demo.cast import Cast
from scripts.demo.timeline import Timeline


def play(cast: Cast, timeline: Timeline, day: date) -> None:
    """Import the published records of both zones."""
