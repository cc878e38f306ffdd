"""The review queue: what needs a person, each thing once; the page of a group, and the decision about all of its members."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import pluralize
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from migration.actions import facts_about, validate_customizations
from migration.actions.reviewing import (
    Group,
    GroupDecision,
    Kind,
    decide_group,
    look_at,
    open_groups,
    preview_group,
    words_of,
)
from migration.admin.comparison import difference, hunks_of, operations_of, samples_of, source_diff, systems_diff, texts_of
from migration.admin.frames import pair_of
from migration.errors import DecisionNotAllowed, GroupChanged, GroupNotShown
from migration.jobs import enqueue, validate_chunk
from migration.models import Customization, Decision, Finding
from slots.actions.upgrades import OpenConflicts, open_conflicts

LOOK = ("migration.view_finding", "migration.view_customization")
DECIDE = "migration.decide_finding"
SEE_CONFLICTS = "slots.view_upgradeconflict"
UPGRADE = "upgrade"
KINDS = (*Kind.choices, (UPGRADE, "conflict of an upgrade"))
ROWS = 50
MEMBERS = 25
AT_ONCE = 100  # customizations that are validated before the next page is shown; of more the workers take care


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one line of the queue; `group` is empty for conflicts of upgrades, which have pages of their own."""

    address: str
    name: str
    component: str
    version: str
    kind: str
    text: str
    people: int
    first_seen_at: datetime
    group: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Hold by what the queue is narrowed down, as the address says."""

    component: str
    kind: str

    @classmethod
    def of(cls, request: HttpRequest) -> "Narrowed":
        """Read the address."""
        return cls(request.GET.get("component", ""), request.GET.get("kind", ""))

    @property
    def query(self) -> str:
        """Return the end of an address that says the same, empty where nothing is narrowed down."""
        said = {name: value for name, value in (("component", self.component), ("kind", self.kind)) if value}
        return f"?{urlencode(said)}" if said else ""

    def takes(self, component: str, kind: str) -> bool:
        """Say whether something is in it."""
        return self.component in ("", component) and self.kind in ("", kind)


class DecisionForm(forms.Form):
    """Ask what is to become of a group, and why."""

    decision = forms.ChoiceField(widget=forms.RadioSelect, label="Decision")
    reason = forms.CharField(
        max_length=1000,
        widget=forms.TextInput(attrs={"autocomplete": "on"}),
        help_text="Kept with every finding and every customization, beside your name.",
    )

    def __init__(self, *args: Any, group: Group, **kwargs: Any) -> None:
        """Offer acceptance only where it lets anybody move."""
        super().__init__(*args, **kwargs)
        choices = [(Decision.REFUSED, "Reject: their people stay on the old system")]
        if group.can_accept:
            choices.insert(0, (Decision.ACCEPTED, "Accept: it no longer keeps anybody on the old system"))
        self.fields["decision"].choices = choices  # type: ignore[attr-defined]  # the stubs know fields in general only
        self.fields["reason"].widget.attrs.pop("maxlength", None)


def queue_view(model_admin: "admin.ModelAdmin[Any]", request: HttpRequest) -> HttpResponse:
    """List what needs a person, that of most people first."""
    if not request.user.has_perms(LOOK):
        raise PermissionDenied
    narrowed = Narrowed.of(request)
    groups = open_groups()
    rows = [_group_row(group, narrowed) for group in groups]
    if request.user.has_perm(SEE_CONFLICTS):
        rows += map(_conflict_row, open_conflicts())
    shown = sorted((row for row in rows if narrowed.takes(row.component, row.kind)), key=lambda row: -row.people)
    page = Paginator(shown, ROWS).get_page(request.GET.get("p"))
    on_page = {row.group for row in page.object_list}
    words = words_of(group for group in groups if group.digest in on_page)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Review",
        "opts": model_admin.model._meta,
        "page": page,
        "rows": [replace(row, words=words.get(row.group, "") or row.text) for row in page.object_list],
        "people": sum(row.people for row in shown),
        "components": sorted({row.component for row in rows} | ({narrowed.component} - {""})),
        "kinds": KINDS,
        "labels": dict(KINDS),
        "narrowed": narrowed,
    }
    return TemplateResponse(request, "admin/migration/review.html", context)


def _group_row(group: Group, narrowed: Narrowed) -> Row:
    return Row(
        address=reverse("admin:migration_review_group", args=[group.digest]) + narrowed.query,
        name=", ".join(group.codes),
        component=group.component,
        version=group.version,
        kind=group.kind.value,
        text=group.text,
        people=group.people,
        first_seen_at=group.first_seen_at,
        group=group.digest,
    )


def _conflict_row(each: OpenConflicts) -> Row:
    return Row(
        address=reverse("admin:slots_upgrade_decide", args=[each.upgrade, each.group]),
        name=each.status,
        component=each.component,
        version=each.version,
        kind=UPGRADE,
        text=each.words,
        people=each.configurations,
        first_seen_at=each.planned_at,
    )


def group_view(model_admin: "admin.ModelAdmin[Any]", request: HttpRequest, digest: str) -> HttpResponse:
    """Show a group as one of its members has it, with a sample of the others, and decide about all of them."""
    if not request.user.has_perms(LOOK):
        raise PermissionDenied
    may_decide = request.user.has_perm(DECIDE)
    if request.method == "POST" and not may_decide:
        raise PermissionDenied
    narrowed = Narrowed.of(request)
    groups = [group for group in open_groups() if narrowed.takes(group.component, group.kind) or group.digest == digest]
    place = next((index for index, group in enumerate(groups) if group.digest == digest), None)
    if place is None:
        messages.info(request, "Nobody waits in that group any more: somebody decided it, or its diffs were translated again.")
        return HttpResponseRedirect(reverse("admin:migration_review") + narrowed.query)
    ways = [_address(groups, index, narrowed) for index in (place - 1, place + 1)]
    group = groups[place]
    form = DecisionForm(request.POST or None, group=group)
    if request.method == "POST" and form.is_valid():
        try:
            done = _decided(request, group, form)
        except (DecisionNotAllowed, GroupChanged, GroupNotShown) as fault:
            form.add_error(None, f"{fault.code}: {fault}")
        else:
            messages.success(request, _said(done, form.cleaned_data["decision"]))
            return HttpResponseRedirect(ways[1] or ways[0] or reverse("admin:migration_review") + narrowed.query)
    context = {
        **model_admin.admin_site.each_context(request),
        **_shown(request, group),
        "title": f"{group.component}: {group.kind.label}",
        "opts": model_admin.model._meta,
        "group": group,
        "narrowed": narrowed,
        "number": place + 1,
        "of": len(groups),
        "previous": ways[0],
        "next": ways[1],
        "form": form,
        "may_decide": may_decide,
    }
    return TemplateResponse(request, "admin/migration/review_group.html", context)


def _address(groups: Sequence[Group], index: int, narrowed: Narrowed) -> str:
    """Return the address of the group at a place, empty beyond the ends."""
    if not 0 <= index < len(groups):
        return ""
    return reverse("admin:migration_review_group", args=[groups[index].digest]) + narrowed.query


def _decided(request: HttpRequest, group: Group, form: DecisionForm) -> GroupDecision:
    """Decide what was shown; after an acceptance the pages are compared again, those of many by the workers."""
    by, now, reason = request.user.get_username(), timezone.now(), form.cleaned_data["reason"]
    decision = Decision(form.cleaned_data["decision"])
    shown = request.POST.get("shown", "")
    done = decide_group(group.digest, decision=decision, by=by, at=now, reason=reason, shown=shown)
    if decision == Decision.ACCEPTED and len(done.customizations) <= AT_ONCE:
        validate_customizations(done.customizations, at=now, by=by, reason=reason)
    elif decision == Decision.ACCEPTED:
        enqueue(validate_chunk, done.customizations, by=by, reason=reason)
    return done


def _said(done: GroupDecision, decision: str) -> str:
    people = len(done.customizations)
    word = "Accepted" if decision == Decision.ACCEPTED else "Rejected"
    follows = ""
    if decision == Decision.ACCEPTED:
        follows = " Their pages are compared again by the workers." if people > AT_ONCE else " Their pages were compared again."
    return f"{word} for {people} customization{pluralize(people)}.{follows}"


def _shown(request: HttpRequest, group: Group) -> dict[str, Any]:
    """Return what the page says of a group; `shown` names it, for the form to hand back."""
    preview = preview_group(group)
    members = preview.customizations
    if not members:
        raise Http404
    asked = request.GET.get("member", "")
    pk = int(asked) if asked.isdecimal() and int(asked) in members else members[0]
    page = Paginator(members, MEMBERS).get_page(request.GET.get("p"))
    people = Customization.objects.select_related("person").only("external_id", "base_version", "person__tenant", "person__user")
    return {
        **_member(request, pk),
        "shown": preview.digest,
        "members": members,
        "sample": look_at(preview.sample),
        "page": page,
        "people": people.filter(pk__in=list(page.object_list)).order_by("pk"),
    }


def _member(request: HttpRequest, pk: int) -> dict[str, Any]:
    """Return what is shown of one member, for all."""
    related = ("person", "component", "base", "translation__target__component", "translation__base", "translation__body")
    row = Customization.objects.select_related(*related).get(pk=pk)
    (fact,) = facts_about([pk])
    pair = pair_of(pk)
    samples = samples_of(pk, pair, fact) if pair else []
    for sample, context in zip(samples, pair.samples if pair else (), strict=True):
        sides = pair.page(context) if pair else None
        sample["rendered_diff"] = difference(sides.legacy.html, sides.slots.html, "old system", "slots") if sides else []
    operations = operations_of(row) if fact.translation else []
    return {
        "row": row,
        "findings": _findings(fact.blocking),
        "operations": operations,
        "hunks": hunks_of(row.diff, operations),
        "samples": samples,
        "source_diff": source_diff(row, pair) if pair else [],
        "systems_diff": systems_diff(pair) if pair else [],
        "edit": _edit_address(request, row),
    }


def _findings(blocking: Sequence[Finding]) -> list[dict[str, Any]]:
    return [{"finding": each, "texts": texts_of(each)} for each in blocking]


def _edit_address(request: HttpRequest, row: Customization) -> str:
    """Return where the shown member can be changed by hand: as a draft of slots, else the customization's own page."""
    if not request.user.has_perm("slots.add_draft") or row.component_id is None:
        return reverse("admin:migration_customization_change", args=[row.pk])
    place = {"component": row.component_id, "layer": "user", "key": row.person.user, "tenant": row.person.tenant}
    return f"{reverse('admin:slots_draft_add')}?{urlencode(place)}"
