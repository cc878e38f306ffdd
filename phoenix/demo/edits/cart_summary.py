"""Edits of the cart summary beside the product list."""

from phoenix.demo.edits.edit import Edit, Level, legacy_on
from phoenix.demo.edits.strokes import Stroke, drop, insert_after, insert_before, move_block, replace_block, swap, wrap_block

KEY = "shop.cart_summary"
_TOTAL = ('<dl class="cart-sums">', '<p class="cart-total">')
_CHECKOUT = ('<a class="btn btn-primary" href="/checkout/">', '<a class="button button-primary" href="/checkout/"')
_CHECKOUT_TEXT = ('{% translate "Checkout" %}', '{% translate "Go to checkout" %}')


def _edit(name: str, level: Level, on: str, *strokes: Stroke) -> Edit:
    return Edit(name, KEY, level, strokes, legacy_on(on))


EDITS = (
    _edit("pay-now", Level.SIMPLE, "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean", swap(_CHECKOUT_TEXT, "Pay now")),
    _edit(
        "basket", Level.SIMPLE, "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean", swap('{% translate "Your cart" %}', "Your basket")
    ),
    _edit(
        "friendly-empty",
        Level.SIMPLE,
        "1.0 fuzz, 1.1 fuzz, 2.0 fuzz, 2.1 clean",
        swap('{% translate "Your cart is empty." %}', "Nothing in here yet – have a look around!"),
    ),
    _edit(
        "dark-cart",
        Level.SIMPLE,
        "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean",
        swap('<section class="cart"', '<section class="cart theme-dark"'),
    ),
    _edit(
        "cart-width",
        Level.SIMPLE,
        "1.0 plain, 1.1 plain, 2.0 clean, 2.1 clean",
        swap('<h2 class="cart-title"', '<h2 style="letter-spacing: .02em" class="cart-title"'),
    ),
    _edit(
        "quantity-behind",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean",
        swap("{{ item.quantity }} × {{ item.name }}", "{{ item.name }} (× {{ item.quantity }})"),
    ),
    _edit(
        "safe-payment",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean",
        insert_after(_CHECKOUT, '<p class="cart-safe">🔒 {% translate "Safe payment" %}</p>'),
    ),
    _edit(
        "voucher-line",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 fuzz, 2.1 clean",
        insert_before(_TOTAL, '<p class="cart-voucher">Voucher? Enter it at the checkout.</p>'),
    ),
    _edit(
        "keep-shopping",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean",
        insert_before(_CHECKOUT, '<a class="button" href="/">{% translate "Keep shopping" %}</a>'),
    ),
    _edit(
        "checkout-on-top",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean",
        move_block(_CHECKOUT, "", before=('<ul class="cart-lines">', '<table class="cart-lines">')),
    ),
    _edit("no-hint", Level.MEDIUM, "2.0 plain, 2.1 clean", drop("{% if cart.free_shipping_left %}", "{% endif %}")),
    _edit(
        "numbered-lines",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean",
        swap("{{ item.quantity }} × {{ item.name }}", "{{ forloop.counter }}. {{ item.quantity }} × {{ item.name }}"),
    ),
    _edit(
        "boxed-checkout",
        Level.MEDIUM,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean",
        wrap_block(_CHECKOUT, "", '<div class="cart-actions">', "</div>"),
    ),
    _edit(
        "lines-as-text",
        Level.COMPLEX,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean",
        replace_block(
            ('<ul class="cart-lines">', '<table class="cart-lines">'),
            "</",
            '<p class="cart-text">',
            "  {% for item in cart.items %}",
            "  {{ item.quantity }} {{ item.name }}{% if not forloop.last %}, {% endif %}",
            "  {% endfor %}",
            "</p>",
        ),
        swap('{% translate "Your cart" %}', "In your basket"),
    ),
    _edit(
        "big-order-thanks",
        Level.COMPLEX,
        "1.0 plain, 1.1 plain, 2.0 plain, 2.1 clean",
        insert_before(
            _CHECKOUT,
            "{% if cart.total > 100 %}",
            '<p class="cart-thanks"><strong>Thank you!</strong> Orders like this one keep the workshop open.</p>',
            "{% elif cart.total > 50 %}",
            '<p class="cart-thanks">Thank you!</p>',
            "{% endif %}",
        ),
        wrap_block(_TOTAL, "", '<div class="cart-frame">', "</div>"),
    ),
)
