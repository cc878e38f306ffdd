"""Acts on components and configurations, each in one transaction; keyword-only after the subject."""

from slots.actions.asking import system_resolver
from slots.actions.bodies import save_bodies, save_body
from slots.actions.checking import Problem, check_components, configuration_issues, source_issues
from slots.actions.components import (
    ImportedComponent,
    Outcome,
    import_component,
    newest_version,
    set_current_version,
)
from slots.actions.configurations import (
    Installed,
    Placement,
    compose_for,
    install_configuration,
    install_configurations,
    remove_configuration,
    remove_configurations,
)
from slots.actions.defaults import initialise_defaults
from slots.actions.explaining import Explanation, explain
from slots.actions.issues import FoundIssue, record_issues
from slots.actions.previewing import preview_body, preview_version
from slots.actions.restoring import Restored, restore_people, restore_revision, snapshot_people
from slots.actions.serving import PersonPage, forget_compiled, render, renderer
from slots.actions.stacks import Stack, StackLayer, compose_layers, compose_stacks, forget_bases

__all__ = [
    "Explanation",
    "FoundIssue",
    "ImportedComponent",
    "Installed",
    "Outcome",
    "PersonPage",
    "Placement",
    "Problem",
    "Restored",
    "Stack",
    "StackLayer",
    "check_components",
    "compose_for",
    "compose_layers",
    "compose_stacks",
    "configuration_issues",
    "explain",
    "forget_bases",
    "forget_compiled",
    "import_component",
    "initialise_defaults",
    "install_configuration",
    "install_configurations",
    "newest_version",
    "preview_body",
    "preview_version",
    "record_issues",
    "remove_configuration",
    "remove_configurations",
    "render",
    "renderer",
    "restore_people",
    "restore_revision",
    "save_bodies",
    "save_body",
    "set_current_version",
    "snapshot_people",
    "source_issues",
    "system_resolver",
]
