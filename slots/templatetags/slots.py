"""Template tags of slots: `{% render_component %}` for pages, `{% slot %}` for components, `web_address` for payloads."""

import re
from typing import Any, cast

from django import template
from django.conf import settings
from django.template.base import FilterExpression, NodeList, Parser, Token, token_kwargs
from django.template.defaultfilters import pluralize
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from slots.actions.explaining import explain
from slots.actions.pages import page_of_request, person_of_request
from slots.actions.serving import PersonPage
from slots.markup.declared import DeclarationInvalid, read
from slots.markup.web import is_web_address

register = template.Library()

_PAGE_ATTRIBUTE = "_slots_page"
_SLOT = re.compile(r"""slot\s+(?:"([^"\\]+)"|'([^'\\]+)')""")  # split_contents() takes longer than all the rest of a slot


class SlotNode(template.Node):
    """Show a slot's content: the default that stands in the template, or what was composed in its place.

    `data` are the names that the content may use in addition, with the expressions that give their values.
    """

    def __init__(self, name: str, nodelist: NodeList, data: dict[str, FilterExpression] | None = None) -> None:
        """Keep the slot's name, its content and what the content is given."""
        self.name = name
        self.nodelist = nodelist
        self.data = data or {}
        self.is_transparent = not self.data  # slots.renderer then puts the content in the slot's place

    def render(self, context: template.Context) -> SafeString:
        """Render the content."""
        if not self.data:
            return self.nodelist.render(context)
        values = {name: expression.resolve(context) for name, expression in self.data.items()}
        with context.push(**values):
            return self.nodelist.render(context)


@register.tag("slot")
def slot(parser: Parser, token: Token) -> SlotNode:
    """Declare a slot: `{% slot "actions" %}default{% endslot %}`; `slots.markup.declared` says what else it may say."""
    plain = _SLOT.fullmatch(token.contents)
    data: dict[str, FilterExpression] = {}
    if plain is not None:
        name = plain[1] or plain[2]
    else:
        try:
            declared = read(f"{{% {token.contents} %}}")
        except DeclarationInvalid as fault:
            raise template.TemplateSyntaxError(str(fault)) from fault
        name = declared.name
        data = {key: parser.compile_filter(value) for key, value in declared.data}
    nodelist = parser.parse(("endslot",))
    parser.delete_first_token()
    return SlotNode(name, nodelist, data)


class ComponentNode(template.Node):
    """Show a component to the person whom the page is for."""

    def __init__(self, key: Any, values: dict[str, Any]) -> None:
        """Keep the expressions of the component's key and of its values."""
        self.key = key
        self.values = values

    def render(self, context: template.Context) -> SafeString:
        """Render the component with the given values and no others."""
        values = {name: expression.resolve(context) for name, expression in self.values.items()}
        page = page_of(context)
        html = page.render(str(self.key.resolve(context)), values)
        if page.found and context.get("request") is None:
            page.record()  # nobody will say when this page is over
        return html


@register.tag("render_component")
def render_component(parser: Parser, token: Token) -> ComponentNode:
    """Show a component: `{% render_component "shop.product_card" product=product %}`."""
    bits = token.split_contents()[1:]
    if not bits:
        raise template.TemplateSyntaxError('render_component needs a component: {% render_component "shop.product_card" %}.')
    key = parser.compile_filter(bits.pop(0))
    values = token_kwargs(bits, parser)
    if bits:
        raise template.TemplateSyntaxError(f"render_component takes name=value, not {bits[0]!r}.")
    return ComponentNode(key, values)


@register.simple_tag(takes_context=True)
def explain_slots(context: template.Context, component: str) -> SafeString:
    """Show, while `DEBUG` is on, where every value of a component comes from: `{% explain_slots "shop.product_card" %}`.

    In production it shows nothing: who configured what is nobody else's business.
    """
    if not settings.DEBUG:
        return SafeString("")
    request = context.get("request")
    found = explain(component, person_of_request(request) if request is not None else None)
    rows = format_html_join(
        "",
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
        (
            (
                value.operation.address.name,
                words,
                str(value.provenance),
                value.provenance.revision or "–",
                ", ".join(str(provenance) for _, provenance in value.shadowed) or "–",
            )
            for value, words in zip(found.effective.values, found.words, strict=True)
        ),
    )
    issues = format_html_join("", "<li>{}: {} {}</li>", ((each.code, each.text, each.suggestion) for each in found.issues))
    return format_html(
        '<details class="slots-explained"><summary>{}@{}, {}: {} value{}</summary><table><thead><tr><th>place</th><th>what</th>'
        "<th>layer</th><th>revision</th><th>displaced</th></tr></thead><tbody>{}</tbody></table><ul>{}</ul></details>",
        component, found.version, found.system, len(found.words), pluralize(found.words), rows, issues,
    )  # fmt: skip


@register.filter("web_address")
def web_address(value: Any) -> str:
    """Return the value where it is a harmless address (http, https, mailto, tel, or a path), else `#`."""
    text = "" if value is None else str.__str__(str(value))  # a safe string loses its mark: references in it would be decoded
    return text if text and is_web_address(text) else "#"


def page_of(context: template.Context) -> PersonPage:
    """Return the page of the request, made once; without a request, a stranger's page for the template that is being rendered."""
    request = context.get("request")
    if request is None:
        pages = context.render_context
        if _PAGE_ATTRIBUTE not in pages:
            pages[_PAGE_ATTRIBUTE] = PersonPage(None, at=timezone.now())
        return cast(PersonPage, pages[_PAGE_ATTRIBUTE])
    return page_of_request(request, at=timezone.now())
