"""Pages of the sample shop: the shop itself, the door where a customer is chosen, and the preview for staff.

Whoever is allowed to see the door may become any sample customer, which is why the app is only installed where
`PHOENIX_DEMO` says so, and why nobody with rights can be chosen there.
"""

from typing import Final

from csp.decorators import csp_update
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, NullIf
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods
from django.views.decorators.vary import vary_on_cookie

from migration.models import Customization, Person
from phoenix.demo import catalogue
from phoenix.demo.accounts import SAMPLE_PEOPLE
from phoenix.people import person_of
from rollout.models import Enrolment, standing_of
from rollout.states import ON_SLOTS
from slots.schema import PersonKey

PEOPLE_PER_PAGE: Final = 48
MODEL_BACKEND: Final = "django.contrib.auth.backends.ModelBackend"

# Customers may have set a style attribute in their diff, and the page has to look as it always did. Style sheets and
# scripts in the page stay forbidden.
allow_style_attributes = csp_update({"style-src-attr": ["'unsafe-inline'"]})


@require_GET
@never_cache
@vary_on_cookie
@allow_style_attributes
def shop(request: HttpRequest) -> HttpResponse:
    """Show the shop to whoever is signed in, through the system that they are on."""
    person = person_of(request.user)
    if person is None:
        return redirect("demo:sign_in")
    return _shop_page(request, person, is_preview=False)


@staff_member_required
@require_GET
@never_cache
@allow_style_attributes  # type: ignore[arg-type]  # django-csp's annotation knows views without further arguments only
def preview(request: HttpRequest, user: str) -> HttpResponse:
    """Show the shop to staff as one customer sees it; the customer is signed in for this one request only."""
    request.user = get_object_or_404(_sample_customers(), username=user)
    person = person_of(request.user)
    assert person is not None  # noqa: S101 -- an account was just found
    return _shop_page(request, person, is_preview=True)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the sample customers, and sign in as the one that was chosen."""
    if request.method == "POST":
        chosen = get_object_or_404(_sample_customers(), username=request.POST.get("user", ""))
        login(request, chosen, backend=MODEL_BACKEND)
        return redirect("demo:shop")
    query, group = request.GET.get("q", "").strip(), request.GET.get("show", "")
    page = _people_page(query, group, request.GET.get("page", "1"))
    context = {
        "page": page,
        "query": query,
        "group": group,
        "total": Person.objects.filter(SAMPLE_PEOPLE).count(),
        "groups": (
            ("", _("everybody")),
            ("slots", _("on slots")),
            ("several", _("several changes")),
            ("internal", _("colleagues")),
        ),
    }
    return render(request, "demo/sign_in.html", context)


def _shop_page(request: HttpRequest, person: PersonKey, *, is_preview: bool) -> HttpResponse:
    context = {
        "person": person,
        "standing": standing_of(person).decide(),
        "changed": list(_changed_components(person)),
        "is_preview": is_preview,
        "products": catalogue.products(static),
        "list_header": catalogue.list_header(),
        "cart": catalogue.cart(),
        "promo": catalogue.promo(),
        "reviews": catalogue.reviews(),
        "average": catalogue.average(),
    }
    return render(request, "demo/shop.html", context)


def _changed_components(person: PersonKey) -> QuerySet[Customization, str]:
    """Return the titles of the components that the person customised; a component without a title goes by its key."""
    rows = Customization.objects.active().of(person).filter(component__isnull=False)
    name = Coalesce(NullIf("component__title", Value("")), "component__key")
    return rows.annotate(component_name=name).order_by("component_name").values_list("component_name", flat=True)


def _people_page(query: str, group: str, number: str) -> Page[Person]:
    """Return one page of the sample customers that fit, each with `active` (how many customizations) and `is_moved`."""
    moved = Enrolment.objects.live().filter(person=OuterRef("pk"), state__in=ON_SLOTS, wave__revoked_at__isnull=True)
    people = Person.objects.filter(SAMPLE_PEOPLE).annotate(
        active=Count("customizations", filter=Q(customizations__is_active=True)), is_moved=Exists(moved)
    )
    if query:
        people = people.filter(Q(user__icontains=query) | Q(region__icontains=query))
    if group == "slots":
        people = people.filter(is_moved=True)
    elif group == "several":
        people = people.filter(active__gte=2)
    elif group == "internal":
        people = people.filter(is_internal=True)
    return Paginator(people.order_by("user", "pk"), PEOPLE_PER_PAGE).get_page(number)


def _sample_customers() -> QuerySet[User]:
    """Return the accounts that anybody may become: those of made-up people, without rights."""
    people = Person.objects.filter(SAMPLE_PEOPLE, user=OuterRef("username"))
    return User.objects.filter(Exists(people), is_active=True, is_staff=False, is_superuser=False)
