"""Locate nodes of a template by several locators at once, resolve addresses again, and list a template's slots."""

from slots.markup.address.locate import Address, describe, outline, resolve
from slots.markup.address.slots import SlotEntry, slot_map, slot_nodes

__all__ = ["Address", "SlotEntry", "describe", "outline", "resolve", "slot_map", "slot_nodes"]
