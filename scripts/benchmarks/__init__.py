"""Measurements: what the market does at scale, next to what others do with the same input."""
