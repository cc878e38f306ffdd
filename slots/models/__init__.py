"""Components, their versions, and the slot configurations that people, segments and sites lay over them.

Rows are the truth: a `SlotConfiguration` points to a `Body` (operations, stored once by digest), and the request reads only those
rows. A `ComposedTemplate` is a cache of base + stack of bodies; it may be deleted at any time and is composed again on a miss.
"""

from slots.models.components import Component, ComponentVersion
from slots.models.composed import ComposedTemplate, ConfigurationIssue
from slots.models.configurations import Body, Layer, Origin, SlotConfiguration, SlotConfigurationQuerySet
from slots.models.history import HistoryEntry, history, record_as
from slots.models.segments import SegmentMember

__all__ = [
    "Body",
    "Component",
    "ComponentVersion",
    "ComposedTemplate",
    "ConfigurationIssue",
    "HistoryEntry",
    "Layer",
    "Origin",
    "SegmentMember",
    "SlotConfiguration",
    "SlotConfigurationQuerySet",
    "history",
    "record_as",
]
