"""The loan book: what follows from a deal's terms and from what happened to it, to the fen.

A book is a pure function: ``replay.replay(deal, events, as_of)`` sorts the events that stand by their
day and walks through them. Whatever becomes known late (a receipt dated back, an undo after the last
payment) gives the same book as if it had been known in time.
"""
