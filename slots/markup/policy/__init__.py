"""Decide whether a configuration may be shown: nodes of the base are trusted, what a payload brings is held to the contract.

`judge` returns issues; an empty answer means that the configuration may go live. Nothing is cleaned or changed here: whoever
wrote the payload sees what is refused and why. docs/slots.md lists the rules.
"""

from slots.markup.policy.judge import judge

__all__ = ["judge"]
