"""Documents for the sandboxed frames of the side-by-side page: one system's page of one sample."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from migration.actions import PagePair, facts_about, is_refused
from migration.engine.compare.marking import mark
from migration.models import Customization
from slots.views import sandboxed

LEGACY, SLOTS, DIFFERENCE = "legacy", "slots", "difference"
NOT_RENDERED = "Not rendered: the policy refuses the customization, or it does not compile."
NOT_MARKED = "The difference is not marked: a page is too large for it, or cannot be read. See the difference of the sources."


def frame_view(request: HttpRequest, pk: int, side: str, index: int) -> HttpResponse:
    """Return one system's page of one sample context, or their difference, as a document that can do nothing but be looked at."""
    if not request.user.has_perm("migration.view_customization"):
        raise PermissionDenied
    return framed(request, pk, side, index)


def framed(request: HttpRequest, pk: int, side: str, index: int) -> HttpResponse:
    """Return what `frame_view` shows; the caller has asked whether the visitor may see it."""
    pair = pair_of(pk)
    if pair is None:
        return sandboxed(request, NOT_RENDERED)
    samples = pair.samples
    if side not in (LEGACY, SLOTS, DIFFERENCE) or index >= len(samples):
        raise Http404
    context = samples[index].context
    if side == DIFFERENCE:
        return sandboxed(request, _marked(pair.render_legacy(context).html, pair.render_slots(context).html))
    rendered = pair.render_legacy(context) if side == LEGACY else pair.render_slots(context)
    return sandboxed(request, mark_safe(rendered.html))  # a component's HTML; the sandbox and its policy let it do nothing


def _marked(legacy: str, slots: str) -> SafeString | str:
    """Return slots' page with all that differs from the old system's marked in it."""
    marked = mark(legacy, slots)
    if marked is None:
        return NOT_MARKED
    sheet = format_html('<link rel="stylesheet" href="{}">', static("migration/difference.css"))
    return sheet + mark_safe(marked)  # likewise


def pair_of(pk: int) -> PagePair | None:
    """Return both systems' templates of a customization, None where they are not to be rendered."""
    try:
        (fact,) = facts_about([pk])
    except ValueError:
        raise Http404 from None
    if fact.translation is None or fact.translation.body_id is None or is_refused(fact):
        return None
    row = Customization.objects.select_related("translation__target", "translation__body").get(pk=pk)
    translation: Any = row.translation
    return PagePair(translation.target, row.diff, translation.body.operations)
