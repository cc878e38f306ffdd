"""The components that the sample shop declares; the registry finds them here."""

from phoenix.demo.shelf import COMPONENTS as FOLDER
from slots.registry import ComponentDefinition

_TITLES = {
    "shop.cart_summary": "Cart summary",
    "shop.product_card": "Product card",
    "shop.product_list_header": "Product list header",
    "shop.promo_banner": "Promotional banner",
    "shop.review_box": "Review box",
}

COMPONENTS = [ComponentDefinition(key, title=title, folder=str(FOLDER / key)) for key, title in _TITLES.items()]
