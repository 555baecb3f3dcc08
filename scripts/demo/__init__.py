"""The demo market: a year of an invented market, written by the project through its own verbs."""
