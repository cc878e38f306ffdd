"""Components, their versions, and the slot configurations that people, segments and sites lay over them.

Rows are the truth: a `SlotConfiguration` points to a `Body` (operations, stored once by digest), and the request reads only those
rows. A `ComposedTemplate` is a cache of base + stack of bodies; it may be deleted at any time and is composed again on a miss.
"""

from slots.models.components import Component, ComponentVersion
from slots.models.composed import ComposedTemplate, ConfigurationIssue
from slots.models.configurations import Body, Layer, Origin, SlotConfiguration, SlotConfigurationQuerySet
from slots.models.drafts import Draft
from slots.models.history import HistoryEntry, history, record_as
from slots.models.inserting import insert_selected
from slots.models.keys import Keys
from slots.models.segments import Segment, SegmentMember
from slots.models.upgrades import CaseStatus, Resolution, Upgrade, UpgradeCase, UpgradeConflict, UpgradeState

__all__ = [
    "Body",
    "CaseStatus",
    "Component",
    "ComponentVersion",
    "ComposedTemplate",
    "ConfigurationIssue",
    "Draft",
    "HistoryEntry",
    "Keys",
    "Layer",
    "Origin",
    "Resolution",
    "Segment",
    "SegmentMember",
    "SlotConfiguration",
    "SlotConfigurationQuerySet",
    "Upgrade",
    "UpgradeCase",
    "UpgradeConflict",
    "UpgradeState",
    "history",
    "insert_selected",
    "record_as",
]
