"""What the sample shop sells and shows: plain values, the same for everybody."""

from collections.abc import Callable
from typing import Any, NamedTuple

CURRENCY = "€"


class _Item(NamedTuple):
    sku: str
    name: str
    brand: str
    picture: str
    price: float
    old_price: float | None
    rating: float | None
    reviews: int
    stock: int
    tags: tuple[str, ...]
    summary: str


_ITEMS = (
    _Item("MUG-01", "Harbour mug", "Northline", "mug", 18.5, None, 4.6, 128, 40, ("kitchen", "stoneware"),
          "Stoneware with a thumb rest and a foot that does not scratch the table."),
    _Item("LMP-07", "Lantern lamp", "Halden", "lamp", 129, 159, 4.8, 64, 4, ("light", "linen"),
          "A linen shade over an oak stem. Warm light, dimmable from candle to desk."),
    _Item("CHR-03", "Reading chair", "Oakline", "chair", 349, None, 4.7, 41, 9, ("living room",),
          "Deep seat, high back, and arms wide enough for a cup."),
    _Item("BAG-11", "Weekend bag", "Tern & Co", "bag", 64.9, 89.9, 4.3, 212, 3, ("travel", "waxed canvas"),
          "Two nights, one pair of shoes, and a pocket for the book you will not open."),
    _Item("NBK-02", "Field notebook", "Tern & Co", "notebook", 9.5, None, 4.9, 530, 210, ("paper",),
          "Lies flat, takes ink without bleeding, fits a coat pocket."),
    _Item("PLT-05", "Fern in clay", "Greenhouse", "plant", 24, None, 4.1, 37, 18, ("plants", "pet safe"),
          "Forgives a forgotten week. Comes with its saucer."),
    _Item("CLK-09", "Quiet clock", "Halden", "clock", 58, None, 4.5, 89, 0, ("wall",),
          "A sweeping hand without the tick, for light sleepers."),
    _Item("KTL-04", "Stove kettle", "Northline", "kettle", 72, None, 4.4, 156, 22, ("kitchen", "steel"),
          "Two litres, a cool handle and a whistle that knows when to stop."),
    _Item("BLK-06", "Shepherd blanket", "Moorland", "blanket", 98, 120, 4.8, 301, 12, ("wool", "living room"),
          "Woven from undyed wool by a mill that has done little else for a century."),
    _Item("HDP-08", "Studio headphones", "Aria", "headphones", 189, None, 4.2, 77, 6, ("audio",),
          "Flat sound, replaceable pads, a cable you can buy anywhere."),
    _Item("TPT-10", "Round teapot", "Northline", "teapot", 46, None, 4.7, 98, 31, ("kitchen", "stoneware"),
          "Pours without dripping: the lip was redrawn eleven times."),
    _Item("BRD-12", "Bread board", "Oakline", "board", 34, None, 4.6, 143, 2, ("kitchen", "oak"),
          "One piece of oak, oiled by hand, with a hole to hang it by."),
    _Item("MUG-02", "Espresso cup", "Northline", "mug", 12, None, 4.5, 76, 64, ("kitchen", "stoneware"),
          "Thick walls keep three sips hot."),
    _Item("LMP-08", "Desk lamp", "Halden", "lamp", 84, None, 4.0, 25, 15, ("light", "desk"),
          "Turns with one finger and stays where you leave it."),
    _Item("CHR-04", "Kitchen stool", "Oakline", "chair", 119, 149, 4.4, 58, 7, ("kitchen", "oak"),
          "Three legs, so it never wobbles."),
    _Item("BAG-12", "City backpack", "Tern & Co", "bag", 79, None, 4.6, 190, 25, ("travel", "recycled"),
          "A laptop, lunch, rain cover and no dangling straps."),
    _Item("NBK-03", "Music book", "Tern & Co", "notebook", 14, None, None, 0, 33, ("paper",),
          "Ten staves a page and a ribbon."),
    _Item("PLT-06", "Olive tree", "Greenhouse", "plant", 49, None, 3.9, 19, 0, ("plants", "balcony"),
          "Likes sun, drought and being left alone."),
    _Item("CLK-10", "Station clock", "Halden", "clock", 145, None, 4.9, 12, 5, ("wall", "steel"),
          "Readable from the far end of a long kitchen."),
    _Item("KTL-05", "Pour-over kettle", "Northline", "kettle", 68, 79, 4.7, 87, 11, ("kitchen", "coffee"),
          "A gooseneck that pours as slowly as you like."),
    _Item("BLK-07", "Picnic rug", "Moorland", "blanket", 54, None, 4.3, 66, 44, ("wool", "garden"),
          "Dry on wet grass, folds into its own strap."),
    _Item("HDP-09", "Travel earphones", "Aria", "headphones", 59, None, 4.1, 240, 80, ("audio", "travel"),
          "Small case, long battery, and they stay in on the stairs."),
    _Item("TPT-11", "Tea for one", "Northline", "teapot", 29, None, 4.5, 52, 17, ("kitchen", "stoneware"),
          "A pot that sits on its own cup."),
    _Item("BRD-13", "Cheese board & knife", "Oakline", "board", 42, None, 4.2, 33, 8, ("kitchen", "ash"),
          "Ash wood with a groove for the knife."),
)  # fmt: skip


def products(picture_url: Callable[[str], str]) -> list[dict[str, Any]]:
    """Return the 24 products as contexts of the card; `picture_url` turns a path below the static folder into an address."""
    return [
        {
            "sku": item.sku,
            "name": item.name,
            "brand": item.brand,
            "url": f"#{item.sku.lower()}",
            "image_url": picture_url(f"demo/products/{item.picture}.svg"),
            "summary": item.summary,
            "price": item.price,
            "old_price": item.old_price,
            "currency": CURRENCY,
            "rating": item.rating,
            "review_count": item.reviews,
            "tags": list(item.tags),
            "in_stock": item.stock > 0,
            "stock": item.stock,
        }
        for item in _ITEMS
    ]


def list_header() -> dict[str, Any]:
    """Return the context of the header above the products."""
    words = ("Newest", "Price", "Rating", "Name")
    return {
        "title": "Everything for the house",
        "count": len(_ITEMS),
        "sort_options": [{"value": word.lower(), "label": word, "selected": word == "Newest"} for word in words],
        "filters": [{"key": "in-stock", "label": "In stock"}, {"key": "kitchen&bath", "label": "Kitchen & bath"}],
    }


def cart() -> dict[str, Any]:
    """Return the context of the cart summary."""
    return {
        "currency": CURRENCY,
        "items": [
            {"name": "Harbour mug", "quantity": 2, "total": 37, "url": "#mug-01"},
            {"name": "Field notebook", "quantity": 1, "total": 9.5, "url": "#nbk-02"},
        ],
        "shipping": 4.9,
        "total": 51.4,
        "free_shipping_left": 13.5,
    }


def promo() -> dict[str, Any]:
    """Return the context of the banner."""
    return {
        "headline": "Autumn by the stove",
        "text": "A fifth off everything made of wool or oak.",
        "cta_label": "See the offers",
        "cta_url": "#offers",
        "code": "hearth20",
        "days_left": 5,
        "tone": "warm",
    }


def reviews() -> list[dict[str, Any]]:
    """Return the reviews beside the products."""
    return [
        {"author": "Ines", "text": "Keeps the tea warm for longer than I need to drink it.", "verified": True},
        {"author": "Tom K.", "text": "Smaller than I thought, and better made.", "verified": False},
        {"author": "莉子", "text": "とても良い。", "verified": True},
    ]


def average() -> float:
    """Return the average of the reviews' stars, which the sample reviews do not carry themselves."""
    return 4.4
