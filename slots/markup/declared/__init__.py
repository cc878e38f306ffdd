"""Declared slots: what a template says about them, what may be put into them, and the operations that put it there."""

from slots.markup.declaration import KINDS, Declaration, DeclarationInvalid, declarations, read
from slots.markup.declared.fills import Fill, fill
from slots.markup.declared.remarks import remarks

__all__ = ["KINDS", "Declaration", "DeclarationInvalid", "Fill", "declarations", "fill", "read", "remarks"]
