"""Components as JSON, for front ends that draw them themselves; `/api/openapi.json` describes it.

Whose component it is decides the session alone, as on pages: nothing that a request sends names another person. Answers carry the
digest of what is shown as `ETag`, so a front end asks again for the price of one query.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from ninja import NinjaAPI, Schema
from ninja.errors import ValidationError
from pydantic import Field

from slots.actions.pages import page_of_request
from slots.actions.serving import Shown, ShownElsewhere
from slots.errors import ComponentUnknown, SlotsError
from slots.markup.address import slot_nodes
from slots.markup.declared import declarations
from slots.markup.effective import as_json
from slots.markup.tree import parse
from slots.renderer import ContextNotPlain

api = NinjaAPI(title="Phoenix components", version="1", docs_url=None, openapi_url="openapi.json", urls_namespace="slots_api")


class Failure(Schema):
    """Why there is no answer: a stable code and a sentence with the next step."""

    code: str
    text: str


class ListedComponent(Schema):
    """One component as the asking person sees it."""

    key: str
    version: str
    digest: str = Field(description="Changes when what the person sees of the component changes.")


class Listing(Schema):
    """All components, and the system that renders them for the asking person."""

    system: str = Field(description="`slots`, or the name of the system that renders for the person.")
    components: list[ListedComponent]


class DeclaredSlot(Schema):
    """A slot that the component's template declares."""

    name: str
    kinds: list[str] = Field(default=[], description="Kinds of value that it takes; empty: any.")
    required: bool = False
    many: bool = False
    aliases: list[str] = []
    deprecated: str = ""
    data: dict[str, str] = {}


class EffectiveComponent(Schema):
    """What the asking person sees of a component, before values are put in."""

    key: str
    version: str
    digest: str
    names: list[str] = Field(description="Context variables that expressions in the tree may use.")
    slots: list[DeclaredSlot]
    derived: list[str] = Field(description="Names of the elements that are slots without being declared.")
    tree: list[dict[str, Any]] = Field(description="Nodes as slots.markup.effective describes them.")


class Context(Schema):
    """Values to render a component with, under the names of its contract."""

    context: dict[str, Any]


class RenderedComponent(Schema):
    """A component's HTML as the asking person's system shows it."""

    key: str
    html: str
    issues: list[dict[str, str]] = Field(description="Where a customization failed and the base is shown.")


@api.exception_handler(SlotsError)
def refuse(request: HttpRequest, fault: SlotsError) -> HttpResponse:
    """Answer a fault of the caller with its code and sentence."""
    status = {ComponentUnknown: 404, ShownElsewhere: 409, ContextNotPlain: 422}.get(type(fault), 400)
    return JsonResponse({"code": fault.code, "text": str(fault)}, status=status)


@api.exception_handler(ValidationError)
def refuse_body(request: HttpRequest, fault: ValidationError) -> HttpResponse:
    """Answer a body that is not what is asked for with a sentence, and with where it is wrong."""
    places = sorted({".".join(str(part) for part in error["loc"][2:]) or "the body" for error in fault.errors})
    example = '{"context": {"title": "Autumn"}}'
    text = f"Send a JSON object with the values under `context`, such as {example}. Wrong: {', '.join(places)}."
    return JsonResponse({"code": "BODY_INVALID", "text": text}, status=422)


@api.get("components/", response=Listing, summary="List components")
def list_components(request: HttpRequest) -> dict[str, Any]:
    """List every component that can be shown, with the version that the person sees; one query."""
    page = page_of_request(request, at=timezone.now())
    return {
        "system": "slots" if page.system is None else page.system.name,
        "components": [
            {"key": key, "version": stack.version.name, "digest": stack.digest} for key, stack in sorted(page.stacks.items())
        ],
    }


@api.post(
    "components/{path:key}/render/",
    response={200: RenderedComponent, 404: Failure, 422: Failure},
    summary="Render a component",
)
def render_component(request: HttpRequest, key: str, body: Context) -> dict[str, Any]:
    """Render a component with the given values, on whichever system the person is."""
    page = page_of_request(request, at=timezone.now())
    html = page.render(key, body.context)
    return {"key": key, "html": html, "issues": [found.issue.as_json() for found in page.found]}


@api.get(
    "components/{path:key}/",
    response={200: EffectiveComponent, 404: Failure, 409: Failure},
    summary="Show a component's effective tree",
)
def show_component(request: HttpRequest, response: HttpResponse, key: str) -> Any:
    """Show the tree that the person sees: the component's template with all layers composed into it."""
    shown = page_of_request(request, at=timezone.now()).shown(key)
    tag = f'"{shown.digest}"'
    if request.headers.get("If-None-Match") == tag:
        return _private(HttpResponse(status=304), tag)
    _private(response, tag)
    return _effective(shown)


def _effective(shown: Shown) -> dict[str, Any]:
    tree = parse(shown.source)
    declared = [slot.as_json() for slot in declarations(tree).values()]
    names = {slot["name"] for slot in declared}
    return {
        "key": shown.component,
        "version": shown.version,
        "digest": shown.digest,
        "names": sorted(shown.names),
        "slots": declared,
        "derived": [name for name in slot_nodes(tree) if name not in names],
        "tree": as_json(tree),
    }


def _private(response: HttpResponse, tag: str) -> HttpResponse:
    """Let the person's own browser keep the answer, and nobody between."""
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Cookie"])
    return response
