"""The review queue: what needs a person, the same thing once, however many people have it."""

from migration.actions.reviewing.deciding import GroupDecision, Preview, decide_group, preview_group
from migration.actions.reviewing.groups import Group, Kind, group_named, open_groups, words_of
from migration.actions.reviewing.members import SAMPLE, Look, Sampled, look_at, member_keys, sample_of

__all__ = [
    "SAMPLE",
    "Group",
    "GroupDecision",
    "Kind",
    "Look",
    "Preview",
    "Sampled",
    "decide_group",
    "group_named",
    "look_at",
    "member_keys",
    "open_groups",
    "preview_group",
    "sample_of",
    "words_of",
]
