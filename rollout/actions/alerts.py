"""Write to those who have to hear of a breach, once for each response and account.

A response makes rows and no more, in the transaction that does it; the reconciler sends them after everything that protects. So a
mail server that is away delays a message and nothing else.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from rollout.actions.outbox import Outbox, SendReport, Written, hand_over
from rollout.gates import Action, Response
from rollout.models import SYSTEM, Alert, BreachResponse, DeliveryState, Event, GuardPolicy, SignoffRequirement, Subject
from rollout.notifications import MailTransport, Message, Transport
from rollout.roles import APPROVERS, RESPONDERS

LIMIT: Final = 500  # sent in one go
SUPERUSERS: Final = "superuser"  # who is told where nobody else can be
Recipient = tuple[str, str, str]  # account, role, address


def plan_alerts(response: BreachResponse, *, at: datetime) -> str:
    """Make a message to everybody whom a response tells, inside the caller's transaction; return what came of it as a sentence.

    Where nobody in the roles has an e-mail address, the next ones are told: approvers, who signs the plan, superusers.
    """
    wanted = roles_of(response)
    people, role = next(_reachable(response.breach.policy, wanted), ([], ""))
    Alert.objects.bulk_create(
        (Alert(response=response, name=name, role=role, address=address, due_at=at) for name, role, address in people),
        ignore_conflicts=True,
    )
    nobody = f"nobody who is {' or '.join(wanted)} has an e-mail address"
    if not people:
        return f"NOBODY_TO_TELL: {nobody}, nor has anybody above them. Give an account of these groups one."
    said = f"{_number(people)} told as {' and '.join(dict.fromkeys(role for _, role, _ in people))}."
    return said if role in wanted else f"{nobody[0].upper()}{nobody[1:]}. {said}"


def roles_of(response: BreachResponse) -> tuple[str, ...]:
    """Return the roles that a response tells: those that its policy names, else who responds, or, to escalate, who signs."""
    policy = response.breach.policy
    named = next((each.roles for each in _responses(policy) if each.action == response.action), ())
    if named or response.action == Action.ALERT:
        return named or (RESPONDERS,)
    return _signers(policy) or (APPROVERS,)


def send_due_alerts(*, at: datetime, transport: Transport | None = None, limit: int = LIMIT) -> SendReport:
    """Send up to `limit` of the messages about open breaches, and count what became of them; where none can be sent, all wait.

    Of a breach that is closed by then nobody is told any more.
    """
    stale = Alert.objects.filter(pk__in=Alert.objects.stale().values("pk"), state=DeliveryState.PENDING)
    report = SendReport(cancelled=stale.update(state=DeliveryState.CANCELLED, error="its breach was closed before"))
    if Alert.objects.due(at).exists():
        outbox = Outbox(partial(_due, at), {"subject": "", "body": ""}, write_alerts, partial(_note, at=at))
        hand_over(outbox, MailTransport() if transport is None else transport, report=report, at=at, limit=limit)
        report.remaining = Alert.objects.due(at).count()
    return report


def write_alerts(rows: Sequence[Alert]) -> Written:
    """Set on each row what it says, as its breach is now, and return its message; plain text."""
    written = {}
    for row in rows:
        written[row.pk] = message = _alert(row)
        row.subject, row.body = message.subject, message.body
    return written


def _alert(row: Alert) -> Message:
    response = row.response
    breach = response.breach
    policy = breach.policy
    is_escalated = response.action == Action.ESCALATE
    subject = f"[Phoenix] {policy.severity}{', escalated' if is_escalated else ''}: {policy.name}, {policy.plan.name}"
    body = "\n".join(_one_line(each) for each in _lines(row))
    return Message(row.address, _one_line(subject), f"{body}\n")


def _lines(row: Alert) -> Iterator[str]:
    breach = row.response.breach
    policy = breach.policy
    yield f"{row.name}, you are told of this as {row.role}."
    yield ""
    yield f"{policy.name}: {breach.evaluation.text}"
    yield f"Since {_instant(breach.opened_at)}, {policy.phase or policy.plan}."
    if breach.wave is not None:
        yield f"The latest wave then: {breach.wave} (now {breach.wave.state_label})."
    yield f"People whom it affects: {len(breach.affected)}."
    if breach.respond_by is not None:
        yield f"The failed cases are to be analysed by {_instant(breach.respond_by)}."
    yield ""
    for each in breach.responses.all():
        done = (
            f"Done {_instant(each.done_at)}: " if each.done_at else f"Due {_instant(each.due_at)}, unless it is closed by then: "
        )
        yield f"{done}{each.get_action_display()}.{f' {each.outcome}' if each.outcome else ''}"
    yield ""
    yield f"What to do: Rollout, Breaches in the admin (breach {breach.pk}), or `manage.py rollout breaches`; it lists the cases."
    yield "The runbook says how, under “A guard has tripped”."


def _due(at: datetime) -> QuerySet[Alert]:
    joined = ("response__breach__policy__plan", "response__breach__policy__phase__plan", "response__breach__evaluation")
    return Alert.objects.due(at).select_related(*joined, "response__breach__wave__phase")


def _note(row: Alert, state: str, error: str, *, at: datetime) -> None:
    """Record that somebody was told, or could not be."""
    breach = row.response.breach
    data = {"policy": breach.policy_id, "wave": breach.wave_id, "response": row.response_id, "to": row.name, "role": row.role}
    kind = "alert_sent" if state == DeliveryState.SENT else "alert_failed"
    reason = f"{row.name} as {row.role}{f': {error}' if error else ''}"
    Event.objects.create(subject=Subject.BREACH, subject_pk=breach.pk, kind=kind, by=SYSTEM, reason=reason, at=at, data=data)


def _responses(policy: GuardPolicy) -> Sequence[Response]:
    return policy.value().responses


def _signers(policy: GuardPolicy) -> tuple[str, ...]:
    """Return the roles that sign the policy's phase, or else its plan."""
    rows = SignoffRequirement.objects.filter(plan=policy.plan_id).order_by("role")
    own = rows.filter(phase=policy.phase_id) if policy.phase_id else rows.none()
    return tuple(own.values_list("role", flat=True) or rows.filter(phase=None).values_list("role", flat=True))


def _reachable(policy: GuardPolicy, wanted: Sequence[str]) -> Iterator[tuple[list[Recipient], str]]:
    """Return, from the wanted roles upwards, those of whose accounts any can be reached: the accounts, and a role of theirs."""
    for roles in (wanted, (APPROVERS,), _signers(policy), (SUPERUSERS,)):
        if people := _accounts(roles):
            yield people, people[0][1]


def _accounts(roles: Sequence[str]) -> list[Recipient]:
    """Return the active accounts with an address that hold one of the roles, each once, in order of the roles and names."""
    accounts = get_user_model()
    name, email = accounts.USERNAME_FIELD, accounts.get_email_field_name()
    active = accounts._default_manager.filter(is_active=True).exclude(**{email: ""}).order_by(name)
    found: dict[str, Recipient] = {}
    for role in roles:
        held = active.filter(is_superuser=True) if role == SUPERUSERS else active.filter(groups__name=role)
        for user, address in held.values_list(name, email):
            found.setdefault(user, (user, role, address))
    return list(found.values())


def _one_line(text: str) -> str:
    """Return the text without anything by which a name could begin another line or head."""
    return " ".join(text.split())


def _number(people: Sequence[Recipient]) -> str:
    return "One person is" if len(people) == 1 else f"{len(people)} people are"


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
