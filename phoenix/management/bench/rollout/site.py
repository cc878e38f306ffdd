"""The one page of the benchmark's site: a product card, on whichever system its person is."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone

from slots.actions import PersonPage
from slots.schema import DEFAULT_TENANT, PersonKey

CARD: Final = "shop.product_card"
SYSTEM: Final = "X-System"
SLOTS, LEGACY = "slots", "legacy"
PRODUCT: Final = {
    "sku": "MUG-01", "name": "Harbour mug", "brand": "Northline", "url": "/#mug-01", "image_url": "", "summary": "Stoneware.",
    "price": 18.5, "old_price": None, "currency": "€", "rating": 4.6, "review_count": 128, "tags": ["kitchen"], "in_stock": True,
    "stock": 40,
}  # fmt: skip


def card(request: HttpRequest, user: str) -> HttpResponse:
    """Show the card of one person, and say in a header which system showed it."""
    page = PersonPage(PersonKey(DEFAULT_TENANT, user), at=timezone.now())
    html = page.render(CARD, {"product": PRODUCT})
    return HttpResponse(html, headers={SYSTEM: SLOTS if page.system is None else LEGACY})


urlpatterns = [path("<str:user>/", card)]
