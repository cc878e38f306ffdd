"""Save the filter of a list under a name, show the saved ones above it, take one off.

Everybody takes their own off, also where the list is closed to them by now. What is shared may be taken off by operators too,
since its owner may have left.
"""

from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from phoenix.models import LONGEST, SavedFilter
from rollout.roles import OPERATE

NOT_KEPT: Final = frozenset({"p", "e", "all", "_popup", "_to_field", "_facets"})  # where somebody was, not what they looked for


class SaveForm(forms.Form):
    """Ask under which name, for whom."""

    listing = forms.CharField(max_length=100)
    query = forms.CharField(required=False)
    name = forms.CharField(
        max_length=60, error_messages={"required": "Give it a name.", "max_length": "Give it a name of up to 60 characters."}
    )
    shared = forms.BooleanField(required=False)

    def clean_query(self) -> str:
        """Return what is kept of the query; refuse what is nothing, and what is too long as it is kept."""
        query = kept_of(self.cleaned_data["query"])
        if not query:
            raise forms.ValidationError("There is nothing to save: filter or search first.")
        if len(query) > LONGEST:
            raise forms.ValidationError(f"The filter takes {len(query):,} characters; choose less, {LONGEST:,} are kept.")
        return query


def kept_of(query: str) -> str:
    """Return what of a list's query says what is looked for, in one order; an empty value is one, but for an empty search."""
    named = parse_qsl(query, keep_blank_values=True)
    return urlencode(sorted(each for each in named if each[0] not in NOT_KEPT and each != (SEARCH_VAR, "")))


def saved_for(request: HttpRequest) -> dict[str, Any]:
    """Return what a list shows above itself, nothing on other pages; one query."""
    match = request.resolver_match
    if match is None or not (match.url_name or "").endswith("_changelist"):
        return {}
    listing = (match.url_name or "").removesuffix("_changelist").replace("_", ".", 1)
    query = kept_of(request.META.get("QUERY_STRING", ""))
    rows = SavedFilter.objects.filter(Q(owner=request.user.pk) | Q(is_shared=True), listing=listing)
    tidies = request.user.has_perm(OPERATE)
    saved = [
        (row, row.query == query, is_mine := row.owner_id == request.user.pk, is_mine or tidies)
        for row in rows.select_related("owner")
    ]
    return {"listing": listing, "listed_query": query, "saved_filters": saved}


def save_view(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Save the filter that a list is shown with; under a name that the person has used it takes the place of the former."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    form = SaveForm(request.POST)
    address = _address_of(site, request, request.POST.get("listing", ""))
    if form.is_valid():
        SavedFilter.objects.update_or_create(
            owner_id=request.user.pk,
            listing=form.cleaned_data["listing"],
            name=form.cleaned_data["name"],
            defaults={
                "query": form.cleaned_data["query"],
                "is_shared": form.cleaned_data["shared"],
                "made_at": timezone.now(),
            },
        )
        messages.success(request, f"Saved as “{form.cleaned_data['name']}”.")
    else:
        said = " ".join(str(error) for errors in form.errors.values() for error in errors)
        messages.error(request, f"It was not saved. {said}")
    query = kept_of(request.POST.get("query", ""))
    return HttpResponseRedirect(f"{address}?{query}" if query else address)


def forget_view(site: AdminSite, request: HttpRequest, pk: int) -> HttpResponse:
    """Take a filter off that the person saved, or, who operates, one that is shared; others stay."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    theirs = Q(owner=request.user.pk)
    row = SavedFilter.objects.filter(theirs | Q(is_shared=True) if request.user.has_perm(OPERATE) else theirs, pk=pk).first()
    if row is None:
        raise Http404
    try:
        address = _address_of(site, request, row.listing)
    except (PermissionDenied, Http404):
        if row.owner_id != request.user.pk:
            raise
        address = reverse("admin:index")
    row.delete()
    messages.success(request, f"“{row.name}” is not saved any more.")
    return HttpResponseRedirect(address)


def _address_of(site: AdminSite, request: HttpRequest, listing: str) -> str:
    """Return the address of a list that the person may see."""
    for model, model_admin in site._registry.items():
        if model._meta.label_lower == listing:
            if not model_admin.has_view_or_change_permission(request):
                raise PermissionDenied
            return reverse(f"admin:{listing.replace('.', '_')}_changelist")
    raise Http404
