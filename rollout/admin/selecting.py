"""From a list, or a button, to a selection: what is chosen is frozen, and its page shows what the act would do."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from rollout.actions.bulk import BY_NAME
from rollout.actions.selections import freeze_selection
from rollout.errors import RolloutError
from rollout.forms import LaterWaveForm
from rollout.models import Selection


def page_of(selection: Selection) -> HttpResponseRedirect:
    """Lead to the page of a selection."""
    return HttpResponseRedirect(reverse("admin:rollout_selection_change", args=[selection.pk]))


def is_of_many(model: Any, name: str, request: HttpRequest) -> bool:
    """Say whether an act is to be done to several rows of a list, and can be."""
    is_all = request.POST.get("select_across") == "1"
    several = len(request.POST.getlist(ACTION_CHECKBOX_NAME)) > 1
    return (is_all or several) and (str(getattr(model, "SUBJECT", "")), name) in BY_NAME


def select_from_list(model_admin: Any, request: HttpRequest, rows: QuerySet[Any], name: str) -> HttpResponse:
    """Freeze the rows that are chosen in a list, and lead to the page that shows what the act would do to them.

    The chosen rows are those that are checked, or all that filters and search leave.
    """
    options: dict[str, Any] = {}
    if name == "defer":
        plans = rows.order_by().values("plan").distinct()
        form = LaterWaveForm(request.POST if "to" in request.POST else None, plans=plans)
        if not form.is_valid():
            return _ask_for_wave(model_admin, request, form)
        options = {"to": form.cleaned_data["to"].pk}
    by = request.user.get_username()
    try:
        selection = freeze_selection(
            rows, name, criteria=_in_words(model_admin, request), by=by, at=timezone.now(), options=options
        )
    except RolloutError as refused:
        messages.error(request, f"{refused.code}: {refused}")
        return HttpResponseRedirect(request.get_full_path())
    return page_of(selection)


def _ask_for_wave(model_admin: Any, request: HttpRequest, form: LaterWaveForm) -> HttpResponse:
    """Ask for the later wave, and hold what was chosen in the list meanwhile."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Defer: to which later wave?",
        "opts": model_admin.opts,
        "form": form,
        "held": [
            (name, value)
            for name in (ACTION_CHECKBOX_NAME, "select_across", "action", "index")
            for value in request.POST.getlist(name)
        ],
        "back": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/rollout/later_wave.html", context)


def _in_words(model_admin: Any, request: HttpRequest) -> str:
    """Return what was chosen in a list, in words: how many rows are checked, or all, and what the list was filtered by."""
    is_all = request.POST.get("select_across") == "1"
    chosen = "all rows" if is_all else f"{len(request.POST.getlist(ACTION_CHECKBOX_NAME))} checked rows"
    return "; ".join([chosen, *filters_in_words(model_admin.get_changelist_instance(request))])


def filters_in_words(listing: Any) -> list[str]:
    """Return what a list is filtered and searched by."""
    said, named = [], set()
    for spec in listing.filter_specs:
        for choice in list(spec.choices(listing))[1:]:  # the first is "All"
            if choice.get("selected"):
                said.append(f"{spec.title}: {choice['display']}")
                named |= set(spec.expected_parameters())
    said += [f"{name} = {', '.join(map(str, value))}" for name, value in listing.filter_params.items() if name not in named]
    return said + ([f"search: {listing.query}"] if listing.query else [])
