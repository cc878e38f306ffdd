"""Guards that tripped: whom it affects, what is still to come, and the two ways in which it ends."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from migration.admin.columns import NOTHING, badge, link
from rollout.actions.breaches import cases_of, count_cases, revalidate_breach, waive_breach
from rollout.admin.acts import APPROVE, OPERATE, Act, ActsAdmin
from rollout.admin.overview import OF_BREACHES
from rollout.models import Alert, Breach, Enrolment
from rollout.states import BreachState
from rollout.templatetags.rollout import moment

CASES = 200  # failed people listed on a page
OPEN = frozenset({BreachState.OPEN})


def _pending(breach: Breach) -> list[str]:
    rows = breach.responses.filter(done_at__isnull=True)
    return [f"Not done any more: {row.get_action_display()}, due {row.due_at:%Y-%m-%d %H:%M} UTC." for row in rows]


def _effect_of_revalidation(breach: Breach) -> list[str]:
    lines = [f"{len(breach.affected)} people are translated and validated again; nobody is switched by it."]
    if not breach.policy.needs_revalidation:
        lines.append("This policy is then judged by its own metric.")
    better = "above" if breach.policy.value().higher_is_better else "below"
    return [*lines, f"If it is {better} {breach.policy.clear:g}, the breach is cleared and its hold goes.", *_pending(breach)]


def _revalidate(breach: Breach, **who: Any) -> str:
    found = revalidate_breach(breach, **who)
    breach.refresh_from_db()
    return f"is {breach.state_label}. {found.text} ({found.code})"


def _effect_of_waiving(breach: Breach) -> list[str]:
    holds = [f"{hold.scope} is no longer held by it." for hold in breach.holds.standing()]
    return [*holds, *_pending(breach), "What was measured up to now does not open it again. Your name stands for it."]


def _waive(breach: Breach, **who: Any) -> str:
    waive_breach(breach, **who)
    return "is waived."


@admin.register(Breach)
class BreachAdmin(ActsAdmin):
    """Show breaches with the failed people and what is still to come; validate again, or waive by name."""

    list_display = ("policy", "shown_state", "opened_at", "respond_by", "wave_link", "affected_count", "closed_by", "closed_at")
    list_filter = ("state", "policy__metric", "policy__severity")
    search_fields = ("policy__name", "closed_reason")
    fields = (
        "policy", "shown_state", "evaluation", "opened_at", "respond_by", "wave_link", "affected_count", "closed_by",
        "closed_at", "closed_reason",
    )  # fmt: skip
    readonly_fields = ("shown_state", "wave_link", "affected_count")
    change_form_template = "admin/rollout/breach.html"
    acts = (
        Act("revalidate", "Validate again", OPERATE, OPEN, _effect_of_revalidation, _revalidate, leads_in=OPEN),
        Act("waive", "Waive", APPROVE, OPEN, _effect_of_waiving, _waive, is_grave=True),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring policy, verdict and wave in the same query."""
        rows: QuerySet[Any] = super().get_queryset(request).select_related("policy__plan", "evaluation", "wave__phase__plan")
        return rows

    def more_context(self, row: Breach) -> dict[str, Any]:
        """Return the analysis list, the responses, and who was told."""
        cases = cases_of(row, limit=CASES)
        return {
            "facts": self._facts(row),
            "cases": [(link(Enrolment(pk=each.enrolment), each.user), each) for each in cases],
            "cases_total": count_cases(row),
            "responses": list(row.responses.all()),
            "alerts": list(Alert.objects.filter(response__breach=row).select_related("response")),
            "is_late": row.state == BreachState.OPEN and row.respond_by is not None and row.respond_by < timezone.now(),
        }

    def _facts(self, row: Breach) -> list[tuple[str, Any]]:
        facts: list[tuple[str, Any]] = [("Plan", link(row.policy.plan)), ("Guard", link(row.policy, row.policy.name))]
        facts += [("Tripped", moment(row.opened_at)), ("People affected", f"{self.affected_count(row):,}")]
        facts += [("Latest wave then", link(row.wave))] if row.wave else []
        facts += [("To be analysed by", moment(row.respond_by))] if row.respond_by else []
        return [*facts, ("Ended", moment(row.closed_at)), ("By", row.closed_by)] if row.closed_at else facts

    @admin.display(description="state", ordering="state")
    def shown_state(self, breach: Breach) -> str:
        """Return the state as a badge."""
        return badge(breach.state_label, OF_BREACHES[BreachState(breach.state)])

    @admin.display(description="latest wave when it opened")
    def wave_link(self, breach: Breach) -> str:
        """Return a link to the wave that a response may take back."""
        return link(breach.wave) if breach.wave else NOTHING

    @admin.display(description="people affected")
    def affected_count(self, breach: Breach) -> int:
        """Return how many people had been attempted when it opened."""
        return len(breach.affected)
