"""What has to hold whatever happens: the thirteen invariants of the design, each as a check over rows.

Each check asks independently of the code that is to keep its invariant: from rows, events and the pure rules. It looks at what
changed since the last look, at a few queries each; a full look goes over everything. A violation is a sentence with its rows.
"""

from rollout.rehearsal.invariants.checker import CHECKS, Check, Checker
from rollout.rehearsal.invariants.look import Look, Violation

__all__ = ["CHECKS", "Check", "Checker", "Look", "Violation"]
