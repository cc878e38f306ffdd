"""The page that stands behind the button on every page: pause every plan, or take everybody to the legacy system."""

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from rollout.actions.holds import is_frozen
from rollout.admin.acts import OPERATE
from rollout.forms import ReasonForm
from rollout.models import Snapshot, Wave
from rollout.states import WAVE_AT_WORK
from rollout.switch import is_killed


def stop_view(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Show both ways to stop, with what each would do; each form is sent to the page of its own switch.

    Nothing here or there asks the queue, so it works with the queue's server down.
    """
    if not request.user.has_perm(OPERATE):
        raise PermissionDenied
    context = {
        **site.each_context(request),
        "title": "Stop",
        "killed": is_killed(),
        "frozen": is_frozen(),
        "at_work": Wave.objects.filter(state__in=WAVE_AT_WORK).count(),
        "installed": Snapshot.objects.standing().count(),
        "freezing": ReasonForm(auto_id="freeze_%s"),
        "killing": ReasonForm(auto_id="kill_%s"),
    }
    return TemplateResponse(request, "admin/rollout/stop.html", context)
