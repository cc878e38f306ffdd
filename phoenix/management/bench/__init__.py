"""What `bench` measures, beside the tools a team would otherwise use.

All contestants of one figure run in one process tree, in turn, round after round, and are timed by the processor time that they
used: on a machine that does other things as well, ratios mean something and wall-clock figures do not. `clock` times, `samples`
says what on, `growth` and `pages` make input of a given size, `diffdom` runs the one peer that is not Python, `engine` measures
the engine, `render` what a page costs.
"""
