"""The tags of `heroicons` under their own name (`TEMPLATES` says so), each icon drawn once in a process.

The library parses and writes the drawing anew for every tag, and reads it from an archive of 1,300: a page of the administration
has two dozen, and spent a tenth of its time on them. What is kept is bounded by what the templates write.
"""

from functools import cache

from django.template import Library
from heroicons.templatetags import heroicons

register = Library()
for _draw in (heroicons.heroicon_micro, heroicons.heroicon_mini, heroicons.heroicon_outline, heroicons.heroicon_solid):
    register.simple_tag(cache(_draw), name=_draw.__name__)
