"""Documents for the sandboxed frames of the side-by-side page: one system's page of one sample."""

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from migration.actions import PagePair, facts_about, is_refused
from migration.models import Customization

LEGACY, SLOTS = "legacy", "slots"
NOT_RENDERED = "Not rendered: the policy refuses the customization, or it does not compile."


def frame_view(request: HttpRequest, pk: int, side: str, index: int) -> HttpResponse:
    """Return one system's page of one sample context, as a document that can do nothing but be looked at."""
    if not request.user.has_perm("migration.view_customization"):
        raise PermissionDenied
    pair = pair_of(pk)
    if pair is None:
        return sandboxed(request, format_html("<p>{}</p>", NOT_RENDERED))
    samples = pair.samples
    if side not in (LEGACY, SLOTS) or index >= len(samples):
        raise Http404
    rendered = pair.render_legacy(samples[index].context) if side == LEGACY else pair.render_slots(samples[index].context)
    return sandboxed(request, mark_safe(rendered.html))  # a component's HTML; the sandbox and its policy let it do nothing


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


def sandboxed(request: HttpRequest, body: SafeString) -> HttpResponse:
    """Return a document with a policy of its own: no scripts, no forms, nothing from elsewhere, shown on this site only.

    Styles may stand in attributes, since components carry them. The origin is written out: a sandboxed document has none of
    its own that `'self'` could mean.
    """
    origin = f"{request.scheme}://{request.get_host()}"
    sheets = ((static(name),) for name in getattr(settings, "SLOTS_PREVIEW_STYLESHEETS", ()))
    document = format_html(
        '<!DOCTYPE html>\n<html lang="{}"><head><meta charset="utf-8"><title>Preview</title>{}</head><body>{}</body></html>',
        settings.LANGUAGE_CODE,
        format_html_join("", '<link rel="stylesheet" href="{}">', sheets),
        body,
    )
    response = HttpResponse(document)
    response["Content-Security-Policy"] = (
        f"sandbox; default-src 'none'; img-src {origin} data:; font-src {origin}; style-src {origin} 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Cache-Control"] = "private, no-store"
    return response
