"""Rendering: one product card with six overridden slots, and a grid of 24, by Phoenix and by everything else one would take.

Each library runs in a process of its own, since one of them replaces Django's `Template.render` and `{% include %}` for the whole
process and would slow the others down. The processes are asked in turn, round after round, and each says what processor time it
used. `card` declares the one set of texts that every contestant's templates are made of, `own` and `peers` are the contestants,
`figures` measures what only Phoenix has, `worker` is the process, `process` its other end, `run` asks.
"""
