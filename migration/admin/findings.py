"""Findings: what a person should know, and what a person has to decide."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Case, CharField, Count, F, Min, Q, QuerySet, Value, When
from django.db.models.functions import Concat
from django.http import Http404, HttpRequest, HttpResponse
from django.template.defaultfilters import pluralize
from django.urls import URLPattern, path
from simple_history.admin import SimpleHistoryAdmin

from migration.actions import decide_finding
from migration.admin.columns import BAD, GOOD, NEUTRAL, NOTHING, WARNING, ReadOnlyAdmin, badge, link, list_link
from migration.admin.reasons import ReasonPage, chosen_url
from migration.errors import DecisionNotAllowed
from migration.models import Customization, Decision, Finding, Severity
from slots.schema import DEFAULT_TENANT

TONES = {Severity.INFORMATION: NEUTRAL, Severity.WARNING: WARNING, Severity.BLOCKING: BAD}
PERMISSION = "migration.decide_finding"
EFFECTS = {
    Decision.ACCEPTED: "They no longer keep people on the old system. The pages are validated again before anybody moves.",
    Decision.REFUSED: "Their people stay on the old system; the customizations are rejected until something changes.",
    Decision.OPEN: "Earlier decisions are taken back.",
}
PERSON = "translation__customizations__person"
NAME = Case(
    When(**{f"{PERSON}__tenant": DEFAULT_TENANT}, then=F(f"{PERSON}__user")),
    default=Concat(f"{PERSON}__tenant", Value("/"), f"{PERSON}__user"),
    output_field=CharField(),
)

QUESTIONS = {Decision.ACCEPTED: "Accept {}?", Decision.REFUSED: "Refuse {}?", Decision.OPEN: "Open {} again?"}


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin, SimpleHistoryAdmin):
    """Show findings, and let those with the right decide them."""

    list_display = ("code", "level", "subject", "persons", "people", "diff_line", "place", "verdict", "created_at")
    list_filter = ("severity", "decision", "code", "created_at")
    search_fields = ("code", "text", "place", "customization__person__user", "customization__external_id")
    list_select_related = ("translation__target__component", "customization__person")
    search_help_text = "Code, text, place, or a person's id."
    fields = (
        "code", "level", "subject", "persons", "people", "diff_line", "place", "text", "details", "verdict", "decision_reason",
        "decided_by", "decided_at", "created_at",
    )  # fmt: skip
    readonly_fields = ("level", "subject", "persons", "people", "diff_line", "verdict")
    actions = ("accept", "refuse", "reopen")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count whom each finding concerns in the same query; texts of templates and diffs stay unread."""
        heavy = [f"translation__target__{name}" for name in ("source", "samples", "slot_map", "contract")]
        rows: QuerySet[Any] = super().get_queryset(request).defer(*heavy, "translation__outcomes", "customization__diff")
        counted: QuerySet[Any] = rows.annotate(shared=Count("translation__customizations"), first=Min(NAME))
        return counted

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        """Find those of translations too by whose customizations they serve."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        if not search_term.strip():
            return found, may_repeat
        words = search_term.strip()
        named = Customization.objects.filter(Q(person__user__icontains=words) | Q(external_id__icontains=words))
        theirs = named.exclude(translation=None).values("translation")
        return queryset.filter(Q(pk__in=found.order_by().values("pk")) | Q(translation__in=theirs)), may_repeat

    @admin.display(ordering="severity")
    def level(self, finding: Finding) -> str:
        """Return the severity as a badge."""
        return badge(finding.get_severity_display(), TONES[Severity(finding.severity)])

    @admin.display(description="about")
    def subject(self, finding: Finding) -> str:
        """Return a link to the translation or the customization."""
        return link(finding.translation or finding.customization)

    @admin.display(description="of", ordering="first")
    def persons(self, finding: Any) -> str:
        """Return whose customization it is about: of many, the first one's and how many more."""
        if finding.customization_id:
            return str(finding.customization.person)
        more = f" and {finding.shared - 1} more" if finding.shared > 1 else ""
        return f"{finding.first}{more}" if finding.first else NOTHING

    @admin.display(description="customizations", ordering="shared")
    def people(self, finding: Any) -> str:
        """Return how many customizations it concerns, linked to them."""
        if finding.customization_id:
            return list_link(Customization, 1, id__exact=finding.customization_id)
        return list_link(Customization, finding.shared, translation__id__exact=finding.translation_id)

    @admin.display(description="line", ordering="line")
    def diff_line(self, finding: Finding) -> str:
        """Return the line, a dash where the finding is about no single one."""
        return str(finding.line or NOTHING)

    @admin.display(description="decision", ordering="decision")
    def verdict(self, finding: Finding) -> str:
        """Return the decision as a badge."""
        tone = {Decision.ACCEPTED: GOOD, Decision.REFUSED: BAD}.get(Decision(finding.decision), NEUTRAL)
        return badge(finding.get_decision_display(), tone)

    @admin.action(permissions=["decide"], description="Accept the selected findings…")
    def accept(self, request: HttpRequest, queryset: QuerySet[Finding]) -> HttpResponse:
        """Ask for the reason first."""
        return chosen_url(request, "admin:migration_finding_decide", queryset, decision=Decision.ACCEPTED)

    @admin.action(permissions=["decide"], description="Refuse the selected findings…")
    def refuse(self, request: HttpRequest, queryset: QuerySet[Finding]) -> HttpResponse:
        """Ask for the reason first."""
        return chosen_url(request, "admin:migration_finding_decide", queryset, decision=Decision.REFUSED)

    @admin.action(permissions=["decide"], description="Open the selected findings again…")
    def reopen(self, request: HttpRequest, queryset: QuerySet[Finding]) -> HttpResponse:
        """Ask for the reason first."""
        return chosen_url(request, "admin:migration_finding_decide", queryset, decision=Decision.OPEN)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Say who may decide."""
        return request.user.has_perm(PERMISSION)

    def get_urls(self) -> list[URLPattern]:
        """Add the page that asks for the reason."""
        view = self.admin_site.admin_view(self.decide_view)
        own = path("decide/", view, name="migration_finding_decide")
        return [own, *super().get_urls()]

    def decide_view(self, request: HttpRequest) -> HttpResponse:
        """Decide the chosen findings with a reason; those that cannot be decided so are named."""
        page = ReasonPage(self, request, permission=PERMISSION)
        wanted = request.GET.get("decision", "")
        if wanted not in Decision.values:
            raise Http404
        decision = Decision(wanted)
        findings = list(self.get_queryset(request).filter(pk__in=page.chosen()))

        def act(reason: str, at: Any, by: str) -> None:
            done = 0
            for finding in findings:
                try:
                    decide_finding(finding, decision=decision, by=by, at=at, reason=reason)
                    done += 1
                except DecisionNotAllowed as fault:
                    messages.error(request, str(fault))
            if done:
                messages.success(request, f"{done} finding{pluralize(done, ' is,s are')} now {decision.label}.")

        concerned = sum(1 if each.customization_id else each.shared for each in findings)
        return page.respond(
            title=QUESTIONS[decision].format(f"{len(findings)} finding{pluralize(findings)}"),
            effect=f"{EFFECTS[decision]} {concerned} customization{pluralize(concerned, ' is,s are')} concerned.",
            rows=[f"{each.code} {each.place}: {each.text}{_decided(each)}" for each in findings],
            state=" ".join(f"{each.pk}:{each.decision}:{each.decided_at or ''}" for each in findings),
            button="Record the decision",
            act=act,
        )


def _decided(finding: Finding) -> str:
    """Say what was decided about a finding, by whom and why; nothing where it is open."""
    if finding.decision == Decision.OPEN:
        return ""
    return f" Now {finding.get_decision_display()} by {finding.decided_by}: {finding.decision_reason}"
