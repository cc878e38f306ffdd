"""What is common to all addresses below `/api/`: one description, and one form of every refusal.

A refusal is a JSON object of `code` and `text`, whoever refuses: an action, the check of the session and of its CSRF token, or
the address itself. The apps word their own; what Django or django-ninja answers by itself is put into that form here.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from rollout.api import api as rollout_api
from slots.api import api as slots_api

PREFIX: Final = "/api/"
APIS: Final = {PREFIX: slots_api, f"{PREFIX}rollout/": rollout_api}
WORDED: Final = {
    HTTPStatus.UNAUTHORIZED: ("NOT_SIGNED_IN", "Nobody is signed in. Sign in at `/login/` and send the cookie of the session."),
    HTTPStatus.FORBIDDEN: (
        "CSRF_FAILED",
        "The CSRF token is missing or wrong. Send the value of the cookie "
        f"`{settings.CSRF_COOKIE_NAME}` as the header `X-CSRFToken`.",
    ),
    HTTPStatus.NOT_FOUND: ("ADDRESS_UNKNOWN", "There is no such address. `/api/openapi.json` describes all of them."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("METHOD_NOT_ALLOWED", "This address takes {allowed} only. `/api/openapi.json` describes it."),
}


@require_GET
def description(request: HttpRequest) -> JsonResponse:
    """Describe every address of every app in one OpenAPI document."""
    first, *others = (api.get_openapi_schema(path_prefix=prefix) for prefix, api in APIS.items())
    whole: dict[str, Any] = {**first, "info": {**first["info"], "title": "Phoenix"}}
    for other in others:
        whole["paths"] = {**whole["paths"], **other["paths"]}
        parts = {**whole["components"], **other["components"]}
        parts["schemas"] = {**whole["components"].get("schemas", {}), **other["components"].get("schemas", {})}
        whole["components"] = parts
    return JsonResponse(whole)


def one_form_of_refusals(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give what an address below `/api/` refuses by itself the form of every other refusal; status and headers stay."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not request.path.startswith(PREFIX) or response.status_code not in WORDED or _is_worded(response):
            return response
        code, text = WORDED[HTTPStatus(response.status_code)]
        said = JsonResponse({"code": code, "text": text.format(allowed=response.get("Allow", ""))}, status=response.status_code)
        if response.has_header("Allow"):
            said["Allow"] = response["Allow"]
        return said

    return answer


def _is_worded(response: HttpResponse) -> bool:
    is_json = response.get("Content-Type", "").startswith("application/json")
    return is_json and b'"code"' in response.content
