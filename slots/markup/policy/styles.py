"""Judge declarations of style attributes with tinycss2, which reads escapes as browsers do (`\\75 rl(` is `url(`)."""

from collections.abc import Iterator
from typing import Final

from tinycss2.parser import parse_blocks_contents

FUNCTIONS: Final = frozenset(
    "calc clamp hsl hsla hwb lab lch linear-gradient max min oklab oklch radial-gradient rgb rgba".split()
)
PROPERTIES_REFUSED: Final = frozenset("behavior -moz-binding all content src clip-path mask filter".split())
POSITIONS: Final = frozenset({"relative", "static"})
_STRUCTURAL: Final = frozenset("{}\\;<>")


def problems(property_name: str, value: str) -> Iterator[str]:
    """Yield what is wrong with one declaration, in words."""
    if _STRUCTURAL & set(value) or "/*" in value or "/*" in property_name:
        yield "it holds characters that end a declaration or hide what it says"
        return
    parsed = parse_blocks_contents(f"{property_name}: {value}")  # type: ignore[no-untyped-call]  # the library has no types
    if not value or len(parsed) != 1 or parsed[0].type != "declaration" or value.count("(") != value.count(")"):
        yield "it is no CSS declaration"
        return
    declaration = parsed[0]
    name = declaration.lower_name
    if name in PROPERTIES_REFUSED or name.startswith("--"):
        yield f"{name} can load or run something, or changes what the page's own styles mean"
    waiting = list(declaration.value)
    while waiting:
        token = waiting.pop()
        if token.type in ("url", "bad-url", "error", "at-keyword", "bad-string", "string"):
            yield "it can load something from elsewhere"
        elif token.type == "function":
            if token.lower_name not in FUNCTIONS:
                yield f"it uses {token.lower_name}()"
            waiting.extend(token.arguments)
        elif token.type in ("() block", "[] block", "{} block"):
            waiting.extend(token.content)
        elif token.type == "ident" and name == "position" and token.lower_value not in POSITIONS:
            yield f"position: {token.lower_value} takes the payload out of its component"
