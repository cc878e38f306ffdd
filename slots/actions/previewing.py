"""Render samples for previews: a version alone, or with one layer over it; nothing is cached or stored."""

from collections.abc import Sequence

from django.utils.safestring import SafeString

from slots.actions.serving import renderer
from slots.errors import Issue, IssueCode
from slots.markup import ops
from slots.markup.ops import Operation
from slots.markup.payloads import PayloadSpan, compose_payloads
from slots.markup.policy import judge
from slots.markup.tree import parse
from slots.models import Body, ComponentVersion
from slots.renderer import Rendered, plain_context, render_watched
from slots.schema import STRICT


def preview_version(version: ComponentVersion, index: int) -> Rendered | None:
    """Return the page of a sample, counted from 0; None where there is no such sample."""
    return _shown(version, version.source, (), index)


def preview_body(version: ComponentVersion, body: Body, index: int) -> Rendered | None:
    """Return a sample's page with this body alone over a version; what the policy refuses is not rendered."""
    return preview_operations(version, ops.loads(body.operations), index)


def preview_operations(version: ComponentVersion, operations: Sequence[Operation], index: int) -> Rendered | None:
    """Return a sample's page with these operations alone over a version; what the policy refuses is not rendered."""
    refused = judge(operations, version.terms, version.source)
    if refused:
        issue = Issue(refused[0].code, f"Not rendered, the policy refuses it: {refused[0].text}", place=refused[0].place)
        shown = preview_version(version, index)
        return None if shown is None else Rendered(shown.html, (issue,))
    composed = compose_payloads(parse(version.source), operations, static=version.terms.policy == STRICT)
    return _shown(version, composed.source, composed.spans, index)


def _shown(version: ComponentVersion, source: str, spans: Sequence[PayloadSpan], index: int) -> Rendered | None:
    samples = version.sample_contexts
    if not 0 <= index < len(samples):
        return None
    terms = version.terms
    try:
        template = renderer.template(source, spans, is_strict=terms.policy == STRICT)
        values = plain_context(samples[index].context, terms.names)
        return render_watched(template, values, place=version.component.key)
    except Exception as error:  # a template under preview may do anything; the page that frames it stands
        text = f"It cannot be rendered: {type(error).__name__}: {error}"
        issue = Issue(IssueCode.RENDER_ERROR, text, suggestion="Mend the template or the sample.")
        return Rendered(SafeString(""), (issue,))
