"""./scripts/bench: measures in full on request, at any size here, and its figures stand in lines of one form."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from market.bulk import price
from market.book import Book
from scripts.benchmarks import offers
from scripts.benchmarks.__main__ import BENCHES, main
from scripts.benchmarks.measuring import Side, ratio
from scripts.benchmarks.pricing import SEED, agrees

ROOT = Path(__file__).resolve().parents[2]

RATIOS = [
    ("price vs pyxirr irr", ">= 4"),
    ("dated vs pyxirr xirr", ">= 4"),
    ("one offer ms", "<= 0.3"),
    ("peak memory GB", "<= 1"),
]
