"""The lists that the policy goes by. What is on no list is refused.

Elements and attributes follow the HTML standard (html.spec.whatwg.org), filters and tags Django's built-in reference.
"""

from typing import Final

# Elements that payloads may bring. No form controls but buttons: a payload must not ask for a password.
ELEMENTS: Final = frozenset(
    """a abbr address article aside audio b bdi bdo blockquote br button caption cite code col colgroup data dd del details dfn
    div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hgroup hr i img ins kbd label li main mark menu meter nav ol
    output p picture pre progress q rp rt ruby s samp search section small source span strong sub summary sup table tbody td
    tfoot th thead time tr track u ul var video wbr""".split()
)
# Elements of the base whose attributes and content stay exactly as they are: they run code, load it, or change its meaning.
SEALED: Final = frozenset(
    """applet base embed frame frameset iframe link math meta noembed noframes noscript object param plaintext portal script
    style svg template xmp""".split()
)
# Elements that HTML closes by itself, so that an open tag alone is no open end.
SELF_CLOSING: Final = frozenset("colgroup dd dt li p rp rt tbody td tfoot th thead tr".split())
ATTRIBUTES: Final = frozenset(
    """abbr alt aria-* autocomplete cite class colspan controls data-* datetime decoding dir disabled download draggable
    enterkeyhint fetchpriority for headers height hidden high href hreflang id inert inputmode itemid itemprop itemref itemscope
    itemtype kind label lang loading loop low max media min muted open optimum playsinline poster preload rel reversed role
    rowspan scope sizes span spellcheck src srcset srclang start style tabindex target title translate type value width
    wrap xml:lang""".split()
)
ADDRESSES: Final = frozenset({"cite", "href", "itemid", "itemtype", "poster", "src"})
ADDRESS_LISTS: Final = frozenset({"srcset"})

# Never in a payload, whatever a contract says: they reach files or settings, switch escaping off, pad output, nest without end.
TAGS_REFUSED: Final = frozenset(
    "autoescape block debug extends filter include lorem render_component slot ssi verbatim endverbatim".split()
)
FILTERS_REFUSED: Final = frozenset(
    "center escapejs json_script ljust pprint rjust safe safeseq stringformat".split()
)  # each pads its value, marks it safe, or leaves the context it is escaped for
BINDING: Final = frozenset({"for", "with", "blocktrans", "blocktranslate"})
ESCAPING: Final = frozenset({"autoescape", "filter"})  # blocks that change how what is in them is escaped
# Blocks of the base that a payload may stand in, beside those of the contract: they show their content as it is.
TRANSPARENT: Final = BINDING | frozenset("block cache if ifchanged language localize localtime slot spaceless timezone".split())
SHOWN_ONCE: Final = frozenset("autoescape block language localize localtime slot spaceless timezone".split())
TRANSLATING: Final = frozenset({"trans", "translate", "blocktrans", "blocktranslate"})
WEB_ADDRESS: Final = "web_address"  # the filter that slots provides; it needs no permission

# Methods without arguments that change the value they are called on; Django calls what it finds.
CHANGING: Final = frozenset("add append clear discard extend insert pop popitem remove reverse setdefault sort update".split())

# How many times longer a filter can make its value, beside what its argument adds.
GROWTH: Final = {"urlencode": 9, "upper": 3, "title": 3, "capfirst": 3, "lower": 3, "date": 40, "time": 40}
MAX_REMARKS: Final = 1_000  # on one configuration; nobody reads more, and each is looked for in all payloads
MAX_GROWTH: Final = 120
MAX_FILTERS: Final = 8
MAX_LITERAL: Final = 200
MAX_NUMBER: Final = 10_000
MAX_DECIMALS: Final = 20
MAX_LOOP_DEPTH: Final = 2
MAX_LOOP_LENGTH: Final = 100
MAX_OUTPUT: Final = 20_000_000
VALUE_LENGTH: Final = 100  # what a value inside a loop is taken to be long
MAX_BRANCH_DEPTH: Final = 4
MAX_ALIAS_ROUNDS: Final = 8
WITH_VARIABLE_ARGUMENT: Final = frozenset({"default", "default_if_none"})
