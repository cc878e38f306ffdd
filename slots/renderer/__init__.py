"""Compile composed sources and render them with plain values, and nothing else."""

from slots.renderer.cache import BoundedCache
from slots.renderer.compiling import ComponentParser
from slots.renderer.limits import PayloadRefused, RenderLimits
from slots.renderer.plain import ContextNotPlain, is_plain, plain, plain_context
from slots.renderer.rendering import (
    COMPILED_TEMPLATES,
    Compiled,
    Rendered,
    SlotRenderer,
    TemplateNotCompiled,
    render_template,
    render_watched,
    stack_digest,
)

__all__ = [
    "COMPILED_TEMPLATES",
    "BoundedCache",
    "Compiled",
    "ComponentParser",
    "ContextNotPlain",
    "PayloadRefused",
    "RenderLimits",
    "Rendered",
    "SlotRenderer",
    "TemplateNotCompiled",
    "is_plain",
    "plain",
    "plain_context",
    "render_template",
    "render_watched",
    "stack_digest",
]
