"""Foreign formats: read from an open stream into values of the market, never touching the database."""
