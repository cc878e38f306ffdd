"""Show people what they were told in the application: their own messages and nobody else's."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rollout.actions.messages import mark_read, messages_of
from slots.actions.pages import person_of_request

ALL = "all"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def messages(request: HttpRequest) -> HttpResponse:
    """List the visitor's messages, the latest first; a POST marks one of them, or all, as read."""
    person = person_of_request(request)
    if person is None:
        raise Http404
    if request.method == "POST":
        chosen = request.POST.get("message", "")
        pk = None if chosen == ALL else _number(chosen)
        if not mark_read(person, pk, at=timezone.now()):
            raise Http404  # there is none, or it is somebody else's, which nobody can tell apart
        return redirect("rollout:messages")
    told = messages_of(person)
    return render(request, "rollout/messages.html", {"told": told, "unread": sum(not each.is_read for each in told), "all": ALL})


def _number(chosen: str) -> int:
    if not (chosen.isascii() and chosen.isdigit() and len(chosen) < 19):
        raise Http404
    return int(chosen)
