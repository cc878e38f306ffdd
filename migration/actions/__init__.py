"""What can be done with legacy customizations; each function is one act, called by commands, jobs, the admin and the rollout."""

from migration.actions.customizations import import_customizations
from migration.actions.facts import Fact, facts_about
from migration.actions.findings import can_accept, concerned, decide_finding
from migration.actions.legacy import LegacyRenderer, fallbacks
from migration.actions.needs import Need, needs_of
from migration.actions.pages import Page, PagePair, Side
from migration.actions.people import import_people, in_chunks
from migration.actions.proofs import Proof, ProofItem, Unproven, configurations_for, proof_of, proofs_of
from migration.actions.rejections import settle_rejected
from migration.actions.reports import ImportReport, Rejected
from migration.actions.settling import settle
from migration.actions.translations import POLICY, TranslationReport, translate_customizations
from migration.actions.validations import ValidationReport, is_refused, validate_customizations, validate_people

__all__ = [
    "POLICY",
    "Fact",
    "ImportReport",
    "LegacyRenderer",
    "Need",
    "Page",
    "PagePair",
    "Proof",
    "ProofItem",
    "Rejected",
    "Side",
    "TranslationReport",
    "Unproven",
    "ValidationReport",
    "can_accept",
    "concerned",
    "configurations_for",
    "decide_finding",
    "facts_about",
    "fallbacks",
    "import_customizations",
    "import_people",
    "in_chunks",
    "is_refused",
    "needs_of",
    "proof_of",
    "proofs_of",
    "settle",
    "settle_rejected",
    "translate_customizations",
    "validate_customizations",
    "validate_people",
]
