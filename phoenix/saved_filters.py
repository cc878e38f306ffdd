"""Save the filter of a list under a name, show the saved ones above it, take one's own off."""

from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from phoenix.models import SavedFilter

NOT_KEPT: Final = frozenset({"p", "e", "all", "_popup", "_to_field", "_facets"})  # where somebody was, not what they looked for


class SaveForm(forms.Form):
    """Ask under which name, for whom."""

    listing = forms.CharField(max_length=100)
    query = forms.CharField(max_length=2000, required=False)
    name = forms.CharField(max_length=60)
    shared = forms.BooleanField(required=False)


def kept_of(query: str) -> str:
    """Return what of a list's query says what is looked for, in one order."""
    return urlencode(sorted((name, value) for name, value in parse_qsl(query) if name not in NOT_KEPT))


def saved_for(request: HttpRequest) -> dict[str, Any]:
    """Return what a list shows above itself, nothing on other pages; one query."""
    match = request.resolver_match
    if match is None or not (match.url_name or "").endswith("_changelist"):
        return {}
    listing = (match.url_name or "").removesuffix("_changelist").replace("_", ".", 1)
    query = kept_of(request.META.get("QUERY_STRING", ""))
    rows = SavedFilter.objects.filter(Q(owner=request.user.pk) | Q(is_shared=True), listing=listing)
    saved = [(row, row.query == query, row.owner_id == request.user.pk) for row in rows.select_related("owner")]
    return {"listing": listing, "listed_query": query, "saved_filters": saved}


def save_view(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Save the filter that a list is shown with; under a name that the person has used it takes the place of the former."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    form = SaveForm(request.POST)
    address = _address_of(site, request, request.POST.get("listing", ""))
    query = kept_of(request.POST.get("query", ""))
    if not query:
        messages.error(request, "There is nothing to save: filter or search first.")
        return HttpResponseRedirect(address)
    if form.is_valid():
        SavedFilter.objects.update_or_create(
            owner_id=request.user.pk,
            listing=form.cleaned_data["listing"],
            name=form.cleaned_data["name"],
            defaults={"query": query, "is_shared": form.cleaned_data["shared"], "made_at": timezone.now()},
        )
        messages.success(request, f"Saved as “{form.cleaned_data['name']}”.")
    else:
        messages.error(
            request, "It was not saved: give it a name of up to 60 characters, and a filter that is not longer than 2,000."
        )
    return HttpResponseRedirect(f"{address}?{query}")


def forget_view(site: AdminSite, request: HttpRequest, pk: int) -> HttpResponse:
    """Take a filter off that the person saved; those of others stay."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    row = SavedFilter.objects.filter(pk=pk, owner=request.user.pk).first()
    if row is None:
        raise Http404
    row.delete()
    messages.success(request, f"“{row.name}” is not saved any more.")
    return HttpResponseRedirect(_address_of(site, request, row.listing))


def _address_of(site: AdminSite, request: HttpRequest, listing: str) -> str:
    """Return the address of a list that the person may see."""
    for model, model_admin in site._registry.items():
        if model._meta.label_lower == listing:
            if not model_admin.has_view_or_change_permission(request):
                raise PermissionDenied
            return reverse(f"admin:{listing.replace('.', '_')}_changelist")
    raise Http404
