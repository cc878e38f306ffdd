"""The side-by-side page of one customization: both systems' pages, what the engine made of the diff, and what was found."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from migration.actions import Fact, PagePair, can_accept, facts_about
from migration.actions.routes import BASE_MISDATED
from migration.admin.frames import DIFFERENCE, LEGACY, SLOTS, pair_of
from migration.engine import diff
from migration.models import Customization, Decision, Finding, Route, Translation
from slots.errors import Refusal
from slots.markup import ops

CONTEXT_LINES = 3
MAX_LINES = 2_000
PLACES = ("--- ", "+++ ", "@@ ", "\\")


@dataclass(frozen=True, slots=True)
class DiffLine:
    """Hold one line of a difference; `kind` is added, removed, same or place."""

    sign: str
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class ShownHunk:
    """Hold the lines of one hunk and the numbers of the operations that come from it, both counted from 1."""

    number: int
    lines: Sequence[DiffLine]
    operations: Sequence[int]

    @property
    def title(self) -> str:
        """Return what it is called."""
        return f"Hunk {self.number}"


def comparison_view(model_admin: "admin.ModelAdmin[Any]", request: HttpRequest, pk: int) -> HttpResponse:
    """Show one customization as both systems show it."""
    if not request.user.has_perm("migration.view_customization"):
        raise PermissionDenied
    related = ("person", "component", "base", "translation__target__component", "translation__base", "translation__body")
    row = Customization.objects.select_related(*related).filter(pk=pk).first()
    if row is None:
        raise Http404
    (fact,) = facts_about([pk])
    pair = pair_of(pk)
    operations = operations_of(row)
    findings = _findings(row, fact, may_decide=request.user.has_perm("migration.decide_finding"))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"{row.component_key} of {row.person}",
        "opts": model_admin.model._meta,
        "row": row,
        "is_current": fact.translation is not None,
        "findings": findings,
        "route": _route(row.translation, [each["finding"] for each in findings]),
        "operations": operations,
        "samples": samples_of(pk, pair, fact) if pair else [],
        "validation": fact.validation,
        "hunks": hunks_of(row.diff, operations),
        "source_diff": source_diff(row, pair) if pair else [],
        "systems_diff": systems_diff(pair) if pair else [],
    }
    return TemplateResponse(request, "admin/migration/comparison.html", context)


def diff_lines(text: str) -> list[DiffLine]:
    """Return the lines of a unified diff, each with what it says."""
    found = []
    for line in text.removesuffix("\n").split("\n")[:MAX_LINES]:
        if line.startswith(PLACES):
            found.append(DiffLine("", line, "place"))
        else:
            found.append(DiffLine(line[:1], line[1:], {"+": "added", "-": "removed"}.get(line[:1], "same")))
    return found


def hunks_of(text: str, operations: Sequence[Mapping[str, Any]]) -> list[ShownHunk]:
    """Return the hunks of a stored diff with the operations that come from each; what is no diff is shown as one."""
    read = diff.parse(text)
    if isinstance(read, Refusal):
        return [ShownHunk(1, diff_lines(text), [])]
    before = [DiffLine("", line, "place") for line in (*read.preamble, *read.headers)]
    shown = []
    for number, hunk in enumerate(read.hunks, start=1):
        made = [each["number"] for each in operations if each["hunk"] == number]
        shown.append(ShownHunk(number, [*before, *_hunk_lines(hunk)], made))
        before = []
    return shown


def _hunk_lines(hunk: diff.Hunk) -> list[DiffLine]:
    kinds = {"+": "added", "-": "removed", " ": "same"}
    lines = [DiffLine(line.sign, line.text, kinds[line.sign]) for line in hunk.lines[:MAX_LINES]]
    return [DiffLine("", hunk.header, "place"), *lines]


def difference(left: str, right: str, left_name: str, right_name: str) -> list[DiffLine]:
    """Return the difference of two sources, line by line."""
    lines = difflib.unified_diff(left.split("\n"), right.split("\n"), left_name, right_name, n=CONTEXT_LINES, lineterm="")
    return diff_lines("\n".join(lines)) if left != right else []


def source_diff(row: Customization, pair: PagePair) -> list[DiffLine]:
    target: Any = row.translation and row.translation.target
    return difference(target.source, pair.slots_source, str(target), "with the slot operations")


def systems_diff(pair: PagePair) -> list[DiffLine]:
    return difference(pair.legacy_source, pair.slots_source, "old system", "slots")


def _findings(row: Customization, fact: Fact, *, may_decide: bool) -> list[dict[str, Any]]:
    """Return what was found, the blocking first, each with links to its decisions."""
    subjects = Q(customization=row.pk)
    if row.translation_id:
        subjects |= Q(translation=row.translation_id)
    current = fact.validation.pk if fact.validation else None
    rows = Finding.objects.filter(subjects).filter(Q(validation=None) | Q(validation=current)).order_by("severity", "pk")
    page = reverse("admin:migration_finding_decide")
    return [
        {
            "finding": each,
            "texts": texts_of(each),
            "accept": f"{page}?ids={each.pk}&decision={Decision.ACCEPTED}" if may_decide and can_accept(each) else "",
            "refuse": f"{page}?ids={each.pk}&decision={Decision.REFUSED}" if may_decide else "",
        }
        for each in rows.select_related("translation")
    ]


def texts_of(finding: Finding) -> list[tuple[str, str]]:
    """Return the texts that a finding is about, each with whose it is."""
    return [(name, finding.details[name]) for name in ("base", "ours", "theirs") if finding.details.get(name)]


def _route(translation: Translation | None, findings: Sequence[Finding]) -> str:
    """Say how the operations were found; of a diff that does not fit its recorded base, at which version."""
    if translation is None:
        return "not translated"
    fits = next((each.details["fits"] for each in findings if each.code == BASE_MISDATED), None)
    if fits is None or translation.route not in (Route.BASE, Route.CARRIED):
        return translation.get_route_display()
    then = ", then carried to the target" if translation.route == Route.CARRIED else " and which is the target"
    return f"translated against {fits}, which it fits in place of its recorded base{then}"


def operations_of(row: Customization) -> list[dict[str, Any]]:
    """Return the operations in words, layout left out, each with what became of it on its way to this version.

    Operations and hunks count from 1; the hunk is None where the operation was not made of a diff.
    """
    translation = row.translation
    if translation is None or translation.body is None:
        return []
    outcomes = {each["operation"]: each for each in translation.outcomes}
    shown = [each for each in ops.loads(translation.body.operations) if not each.layout]
    return [
        {
            "number": number,
            "words": ops.describe(each),
            "kind": each.kind,
            "hunk": None if each.hunk is None else each.hunk + 1,
            "place": each.address.name,
            "outcome": outcomes.get(each.id),
        }
        for number, each in enumerate(shown, start=1)
    ]


def samples_of(pk: int, pair: PagePair, fact: Fact) -> list[dict[str, Any]]:
    """Return each sample with the addresses of its frames and its verdict."""
    pages = {page["sample"]: page for page in fact.validation.pages} if fact.validation else {}
    return [
        {
            "name": sample.name,
            "legacy": reverse("admin:migration_customization_page", args=[pk, LEGACY, index]),
            "slots": reverse("admin:migration_customization_page", args=[pk, SLOTS, index]),
            "difference": reverse("admin:migration_customization_page", args=[pk, DIFFERENCE, index]),
            "page": pages.get(sample.name),
        }
        for index, sample in enumerate(pair.samples)
    ]
