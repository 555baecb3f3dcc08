"""Processes and tools: what starts the market, drives its clock, checks it and fills it."""
