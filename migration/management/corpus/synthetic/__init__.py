"""Edits with a known answer: made on an element of one release, expected on the same element of a later one.

`locator` finds elements in source text, `edits` changes the text around one, `cases` draws seeded cases from lineages of
templates, `trial` carries each case with the engine, git merge-file and GNU patch, `tally` counts. Nothing that makes a case
or its answer asks the engine: a generator that shared its parser would share its mistakes.
"""
