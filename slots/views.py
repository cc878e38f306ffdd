"""Pages that only show rendered components, in documents that can do nothing but be looked at."""

from collections.abc import Sequence

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from slots.actions import preview_body, preview_version
from slots.actions.previewing import preview_operations
from slots.markup.ops import Operation
from slots.models import ComponentVersion, Draft, SlotConfiguration
from slots.renderer import Rendered


def sandboxed(request: HttpRequest, body: SafeString | str, *, title: str = "Preview") -> HttpResponse:
    """Return `body` as a whole document under a policy of its own, to be framed by this site with `<iframe sandbox>`.

    No scripts, no forms, no frames, nothing from elsewhere; the document has no origin, so it reaches neither cookies nor the
    page around it. Styles may stand in attributes, since components carry them; `SLOTS_PREVIEW_STYLESHEETS` names static style
    sheets to link. The host is written out because a document without an origin has no `'self'`. A plain string is escaped.
    """
    origin = f"{request.scheme}://{request.get_host()}"
    sheets = ((static(name),) for name in getattr(settings, "SLOTS_PREVIEW_STYLESHEETS", ()))
    response = HttpResponse(
        format_html(
            '<!DOCTYPE html>\n<html lang="{}"><head><meta charset="utf-8"><title>{}</title>{}</head><body>{}</body></html>',
            settings.LANGUAGE_CODE,
            title,
            format_html_join("", '<link rel="stylesheet" href="{}">', sheets),
            body,
        )
    )
    response["Content-Security-Policy"] = (
        f"sandbox; default-src 'none'; img-src {origin} data:; font-src {origin}; style-src {origin} 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Cache-Control"] = "private, no-store"
    return response


def version_preview(request: HttpRequest, pk: int, index: int) -> HttpResponse:
    """Show one sample of a component version; whoever may see the version may see it."""
    if not request.user.has_perm("slots.view_componentversion"):
        raise PermissionDenied
    version = get_object_or_404(ComponentVersion.objects.select_related("component"), pk=pk)
    return _framed(request, preview_version(version, index), version)


def configuration_preview(request: HttpRequest, pk: int, index: int) -> HttpResponse:
    """Show one sample of a component as one layer alone changes it; whoever may see the configuration may see it."""
    if not request.user.has_perm("slots.view_slotconfiguration"):
        raise PermissionDenied
    rows = SlotConfiguration.objects.select_related("component_version__component", "body")
    configuration = get_object_or_404(rows, pk=pk)
    return _framed(
        request, preview_body(configuration.component_version, configuration.body, index), configuration.component_version
    )


def draft_preview(request: HttpRequest, pk: int, index: int) -> HttpResponse:
    """Show one sample of a component as a draft would change it; whoever may see the draft may see it."""
    if not request.user.has_perm("slots.view_draft"):
        raise PermissionDenied
    draft = get_object_or_404(Draft.objects.select_related("component_version__component", "body"), pk=pk)
    version = draft.component_version
    return _framed(request, preview_body(version, draft.body, index), version)


def unsaved_preview(
    request: HttpRequest, version: ComponentVersion, operations: Sequence[Operation] | None, index: int
) -> HttpResponse:
    """Show one sample with operations that are typed and not stored, None where they cannot be read; the caller asks who may."""
    if operations is None:
        return sandboxed(request, "Not shown: what is typed cannot be stored as it is.")
    return _framed(request, preview_operations(version, operations, index), version)


def _framed(request: HttpRequest, rendered: Rendered | None, version: ComponentVersion) -> HttpResponse:
    if rendered is None:
        raise Http404
    said = format_html_join("", "<p>{}</p>", ((issue.text,) for issue in rendered.issues))
    return sandboxed(request, said + rendered.html, title=str(version))
