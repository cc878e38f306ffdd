"""Measure the engine on recorded customizations, beside the tools a team would otherwise use.

`records` reads the corpus, `markup` looks at template text with a scanner of its own (a checker that shared the engine's parser
would share its mistakes), `checks` looks for results that are wrong, `peers` runs git, GNU patch and xmldiff, `measure` takes
one record through all of it, `report` adds the figures up and `tables` prints them.
"""
