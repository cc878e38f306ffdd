"""Say which measured rollback counts for the people that a wave or a phase has now, and why the last one does not."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from migration.engine.translate import ENGINE_VERSION
from rollout.errors import CertificateMissing
from rollout.models import Enrolment, Phase, RollbackCertificate, Wave
from rollout.states import GONE


def roster_of(subject: Phase | Wave) -> list[int]:
    """Return the people (primary keys, in order) who are members now; nobody before the first wave is locked."""
    place = Q(wave=subject.pk) if isinstance(subject, Wave) else Q(wave__phase=subject.pk)
    members = Enrolment.objects.filter(place).exclude(state__in=GONE).order_by("person").values_list("person_id", flat=True)
    return list(members.distinct())


def roster_digest(people: Iterable[int]) -> str:
    """Return the hex SHA-256 over people's primary keys, whatever their order."""
    digest = hashlib.sha256()
    for pk in sorted(people):
        digest.update(b"%d," % pk)
    return digest.hexdigest()


def why_uncertified(subject: Phase | Wave, *, at: datetime) -> str:
    """Return why no certificate counts for a wave or a phase, as sentences; empty where one counts, or none is needed.

    A phase needs none while nobody knows its people. One of the phase stands for all of its members; otherwise each wave that
    has people needs its own.
    """
    phase = subject if isinstance(subject, Phase) else subject.phase
    people = roster_of(subject) if phase.needs_certificate else []
    if not people:
        return ""
    if isinstance(subject, Wave):
        return _why_none(subject, people, at)
    reason = _why_none(subject, people, at)
    with_people = [wave for wave in Wave.objects.filter(phase=subject).order_by("position") if roster_of(wave)]
    return reason and " ".join(filter(None, (why_uncertified(wave, at=at) for wave in with_people)))


def require_certificate(subject: Phase | Wave, *, at: datetime) -> None:
    """Refuse to go on without a measured rollback, where the phase demands one.

    Raises:
        CertificateMissing: none counts.
    """
    if why := why_uncertified(subject, at=at):
        raise CertificateMissing(str(subject), [why])


def why_it_does_not_count(row: RollbackCertificate, people: Iterable[int], *, at: datetime) -> str:
    """Return why a certificate does not count for these people now, as a sentence; empty where it does."""
    if not row.is_exact:
        return f"was not exact. {row.text}".rstrip()
    if row.people < 1:
        return "took nobody back."
    if row.engine_version != ENGINE_VERSION:
        return f"was measured with engine {row.engine_version}; this is {ENGINE_VERSION}."
    if row.at > at or at - row.at >= row.phase.plan.certificate_valid_for:
        return f"counted for {row.phase.plan.certificate_valid_for} and is over."
    if row.roster_digest != roster_digest(people):
        return "was measured on other people than are members now."
    return ""


def _why_none(subject: Phase | Wave, people: list[int], at: datetime) -> str:
    """Return why none counts, by the newest that is about the subject; a wave may stand under one of its whole phase."""
    rows = RollbackCertificate.objects.select_related("phase__plan", "wave").order_by("-pk")
    if isinstance(subject, Phase):
        about, whole = list(rows.filter(phase=subject, wave__isnull=True)), people
    else:
        about = list(rows.filter(Q(wave=subject) | Q(wave__isnull=True), phase=subject.phase_id))
        whole = roster_of(subject.phase) if any(row.wave_id is None for row in about) else []  # may be a million people
    reasons = []
    for row in about:
        reason = why_it_does_not_count(row, whole if row.wave_id is None else people, at=at)
        if not reason:
            return ""
        reasons.append(reason)
    if not reasons:
        return f"No rollback of {subject} was measured."
    return f"The last one ({about[0].at:%Y-%m-%d %H:%M} UTC) {reasons[0]}"
