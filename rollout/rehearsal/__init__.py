"""Play a whole plan through on a virtual clock, against a copy of its people, with the engine that carries it out in earnest.

The copy is a scratch file of its own, and what plays is a process of its own: no row of the real database is locked or written,
no message reaches anybody. Everything that happens by chance follows from a seed, so the same seed gives the same report.
"""
