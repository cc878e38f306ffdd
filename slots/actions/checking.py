"""Check components as they are stored: sources compile, samples render, slots are declared once, configurations fit."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.template import TemplateSyntaxError

from slots.actions.serving import renderer
from slots.errors import Issue, IssueCode, OperationsInvalid, SlotsError
from slots.markup import ops
from slots.markup.payloads import compose_payloads
from slots.markup.policy import judge
from slots.markup.tree import parse
from slots.models import Body, Component, ComponentVersion, SlotConfiguration
from slots.renderer import plain_context, render_template
from slots.schema import STRICT


@dataclass(frozen=True, slots=True)
class Problem:
    """Hold an issue with where it is: `component@version`, and whose configuration where it is one's."""

    subject: str
    issue: Issue

    def __str__(self) -> str:
        """Return one line for people."""
        place = f" {self.issue.place}" if self.issue.place else ""
        return f"{self.subject}{place}: {self.issue.code} {self.issue.text} {self.issue.suggestion}".strip()

    def as_json(self) -> dict[str, str]:
        """Return the JSON object of `slots check`."""
        return {"subject": self.subject, **self.issue.as_json()}


def check_components(components: Iterable[Component], *, at: datetime) -> list[Problem]:
    """Return every problem of the components' current versions and of the active configurations over them.

    Identical configurations are checked once, and named by how many share them.
    """
    found: list[Problem] = []
    for component in components:
        if component.current_version is None:
            text = "The component has no current version, so it cannot be shown."
            issue = Issue(IssueCode.REQUIREMENT_MISSING, text, suggestion="Import a version with --activate.")
            found.append(Problem(component.key, issue))
        else:
            found.extend(Problem(str(component.current_version), issue) for issue in source_issues(component.current_version))
        found.extend(_configuration_problems(component))
    return found


def source_issues(version: ComponentVersion) -> Iterator[Issue]:
    """Yield what is wrong with a version's own source, and with the pages of its samples."""
    names = Counter(slot["name"].partition("#")[0] for slot in version.slot_map if slot["kind"] == "declared")
    for name, count in names.items():
        if count > 1:
            text = f"The slot is declared {count} times, so nobody can say which one a configuration means."
            yield Issue(IssueCode.DUPLICATE_ID, text, place=name, suggestion="Give each slot a name of its own.")
    try:
        template = renderer.template(version.source)
    except TemplateSyntaxError as error:
        yield Issue(IssueCode.RENDER_ERROR, f"The template cannot be compiled: {error}", suggestion="Mend it in a new version.")
        return
    for sample in version.sample_contexts:
        try:
            render_template(template, plain_context(sample.context, version.terms.names))
        except Exception as error:  # whatever the template's own tags raise is the answer to the check
            yield Issue(
                IssueCode.RENDER_ERROR,
                f"The sample {sample.name} cannot be rendered: {type(error).__name__}: {error}",
                suggestion="Mend the sample or the template.",
            )


def _configuration_problems(component: Component) -> Iterator[Problem]:
    """Check each distinct pair of version and body once, in three queries for a component."""
    rows = SlotConfiguration.objects.active().filter(component=component).order_by()
    shared = Counter(rows.values_list("component_version_id", "body_id"))
    versions = ComponentVersion.objects.select_related("component").in_bulk({version for version, _ in shared})
    bodies = Body.objects.in_bulk({body for _, body in shared})
    for (version_pk, digest), count in sorted(shared.items()):
        version = versions[version_pk]
        subject = f"{version} {digest[:12]} ({count} configuration{'s' if count != 1 else ''})"
        for issue in configuration_issues(version, bodies[digest]):
            yield Problem(subject, issue)


def configuration_issues(version: ComponentVersion, body: Body) -> Iterator[Issue]:
    """Yield what is wrong with operations on a version: what does not fit, what the policy refuses, what does not compile."""
    try:
        operations = ops.loads(body.operations)
    except OperationsInvalid as fault:
        yield Issue(IssueCode.SCHEMA_INVALID, str(fault), suggestion="Install the configuration again.")
        return
    is_strict = version.terms.policy == STRICT
    composed = compose_payloads(parse(version.source), operations, static=is_strict)
    yield from composed.issues
    yield from judge(operations, version.terms, version.source)
    try:
        renderer.template(composed.source, composed.spans, is_strict=is_strict)
    except (TemplateSyntaxError, SlotsError) as error:
        text = f"The composed template cannot be compiled: {error}"
        yield Issue(IssueCode.RENDER_ERROR, text, suggestion="Mend or remove the operation that brings the failing tag.")
