"""Acts on many people, waves or phases as JSON: select, look, apply; and tickets. `/api/openapi.json` describes it.

The same selections and tickets as in the admin, in `manage.py rollout select` and in `manage.py tickets`, for whoever is signed
in and may do so there. A request that changes something carries the CSRF token of the session.
"""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from ninja import NinjaAPI, Schema, Status
from ninja.errors import ValidationError
from ninja.security import django_auth
from pydantic import Field

from rollout.actions.candidates import person_named
from rollout.actions.criteria import Criteria, rows_meant
from rollout.actions.selection_rows import selection_as_json
from rollout.actions.selections import begin_selection, freeze_selection
from rollout.actions.tickets import TicketDraft, open_ticket
from rollout.errors import RolloutError, SelectionUnknown
from rollout.gates import Severity
from rollout.jobs import wake_selection
from rollout.models import Selection, Ticket
from rollout.roles import OPERATE
from rollout.states import TicketState

PAGE = 100  # tickets in one answer
api = NinjaAPI(
    title="Phoenix rollout",
    version="1",
    docs_url=None,
    openapi_url=None,
    urls_namespace="rollout_api",
    auth=django_auth,
)


class Asked(Schema):
    """Which rows an act is to be done to: those that meet all that is given."""

    act: str
    subject: str = "enrolment"
    wave: int | None = None
    phase: int | None = None
    plan: int | None = None
    states: list[str] = []
    codes: list[str] = []
    users: list[str] = []
    to: int | None = Field(default=None, description="The later wave of a deferral.")


class Confirmed(Schema):
    """The selection as it was shown, and why it is to be applied."""

    hash: str
    reason: str


class Report(Schema):
    """What somebody reported."""

    user: str = Field(description="The person; tenant/user outside the default tenant.")
    severity: Severity
    subject: str
    text: str = ""
    reported_at: datetime | None = Field(default=None, description="When they said it; now where left out.")


@api.exception_handler(RolloutError)
def refuse(request: HttpRequest, fault: RolloutError) -> HttpResponse:
    """Answer a refusal with its code and sentence."""
    return JsonResponse({"code": fault.code, "text": str(fault)}, status=404 if isinstance(fault, SelectionUnknown) else 409)


@api.exception_handler(ValidationError)
def refuse_body(request: HttpRequest, fault: ValidationError) -> HttpResponse:
    """Answer a body that is not what is asked for with where it is wrong."""
    places = sorted({".".join(str(part) for part in error["loc"][2:]) or "the body" for error in fault.errors})
    text = f"The body is not what `/api/openapi.json` describes. Wrong: {', '.join(places)}."
    return JsonResponse({"code": "BODY_INVALID", "text": text}, status=422)


@api.post("selections/", response={201: dict[str, Any]}, summary="Preview an act on many")
def select(request: HttpRequest, body: Asked) -> Any:
    """Freeze on which rows an act is to be done; nothing happens to them yet."""
    if not request.user.has_perm(OPERATE):
        return _forbidden()
    criteria = Criteria(body.wave, body.phase, body.plan, body.states, body.codes, body.users)
    made = freeze_selection(
        rows_meant(body.subject, criteria),
        body.act,
        criteria=str(criteria),
        by=request.user.get_username(),
        at=timezone.now(),
        options={} if body.to is None else {"to": body.to},
    )
    return Status(201, selection_as_json(made))


@api.get("selections/{int:pk}/", response=dict[str, Any], summary="Show a selection, and what came of it")
def show(request: HttpRequest, pk: int) -> Any:
    """Show counts and reasons, at the preview and afterwards."""
    if not (request.user.has_perm(OPERATE) or request.user.has_perm("rollout.view_selection")):
        return _forbidden()
    return selection_as_json(_found(pk))


@api.post("selections/{int:pk}/apply/", response={202: dict[str, Any]}, summary="Apply a selection")
def apply(request: HttpRequest, pk: int, body: Confirmed) -> Any:
    """Confirm a selection as it was shown; the workers do it, and showing it says how far they are."""
    if not request.user.has_perm(OPERATE):
        return _forbidden()
    selection = _found(pk)
    begin_selection(selection, digest=body.hash, by=request.user.get_username(), at=timezone.now(), reason=body.reason)
    wake_selection(pk)
    return Status(202, selection_as_json(selection))


@api.get("tickets/", response=dict[str, Any], summary="List tickets")
def tickets(
    request: HttpRequest,
    state: TicketState | None = None,
    severity: Severity | None = None,
    user: str = "",
    pressing: bool = False,
    before: int | None = None,
) -> Any:
    """List tickets, the newest first, a hundred at most; `next` is the `before` of the older ones.

    `pressing` leaves those that are near their deadline or past it.
    """
    if not request.user.has_perm("rollout.view_ticket"):
        return _forbidden("support")
    at = timezone.now()
    rows = Ticket.objects.pressing(at) if pressing else Ticket.objects.all()
    rows = rows.filter(state=state.value) if state else rows
    rows = rows.filter(severity=severity.value) if severity else rows
    rows = rows.filter(pk__lt=before) if before is not None else rows
    if user:
        rows = rows.filter(person=person_named(user))
    found = list(rows.order_by("-pk").select_related("person", "wave__phase")[: PAGE + 1])
    following = found[PAGE - 1].pk if len(found) > PAGE else None
    return {"tickets": [ticket.as_json(at=at) for ticket in found[:PAGE]], "next": following}


@api.post("tickets/", response={201: dict[str, Any]}, summary="Open a ticket")
def report(request: HttpRequest, body: Report) -> Any:
    """Keep what somebody reported; its deadline is counted from the report on."""
    if not request.user.has_perm("rollout.add_ticket"):
        return _forbidden("support")
    person, at = person_named(body.user), timezone.now()
    draft = TicketDraft(body.severity, body.subject, body.text, body.reported_at)
    ticket = open_ticket(person, draft, by=request.user.get_username(), at=at)
    return Status(201, ticket.as_json(at=at))


def _found(pk: int) -> Selection:
    selection = Selection.objects.filter(pk=pk).first()
    if selection is None:
        raise SelectionUnknown(pk)
    return selection


def _forbidden(role: str = "operator") -> HttpResponse:
    text = f"You may not do this. Ask for the role {role}."
    return JsonResponse({"code": "FORBIDDEN", "text": text}, status=403)
