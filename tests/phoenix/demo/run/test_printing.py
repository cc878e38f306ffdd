"""The printed report: every step with its time, what failed with both values, nothing taken for markup."""

import io

import pytest
from rich.console import Console

from phoenix.demo.run.checks import Table
from phoenix.demo.run.printing import Printer


@pytest.fixture
def paper():
    return io.StringIO()


@pytest.fixture
def printer(paper):
    return Printer(Console(file=paper, width=120, no_color=True))


def test_printer_prints_a_step_that_holds(printer, paper):
    with printer.step("Load") as (step, advance):
        advance(3)
        step.facts.append("5 components")
        step.check("components", expected=5, found=5)
    assert [line.rstrip() for line in paper.getvalue().splitlines()][1:] == ["  5 components"]
    assert paper.getvalue().startswith("✓ Load ")


def test_printer_names_what_was_expected_and_what_was_found(printer, paper):
    with printer.step("Load") as (step, _advance):
        step.check("components", expected=5, found=4)
    assert paper.getvalue().startswith("✗ Load ")
    assert "expected components = 5, found 4" in paper.getvalue()


def test_printer_takes_nothing_of_the_data_for_markup(printer, paper):
    with printer.step("Load [red]") as (step, _advance):
        step.facts.append("[bold]bob[/bold]")
        step.tables.append(Table("[i]title[/i]", ("[b]name[/b]",), (("[u]eve[/u]",),)))
    for text in ("Load [red]", "[bold]bob[/bold]", "[i]title[/i]", "[b]name[/b]", "[u]eve[/u]"):
        assert text in paper.getvalue()


def test_printer_keeps_a_step_out_that_broke_off(printer):
    with pytest.raises(ZeroDivisionError), printer.step("Load"):
        raise ZeroDivisionError
    assert printer.steps == []


def test_printer_sums_steps_and_checks_up(printer, paper):
    for found in (1, 2):
        with printer.step(f"Step {found}") as (step, _advance):
            step.check("one", expected=1, found=found)
    printer.summary(99.5)
    (total,) = [line for line in paper.getvalue().splitlines() if line.startswith("│ all")]
    assert "1/2" in total and "99.50" in total  # the whole run, not the sum of the steps alone
    assert "between the steps" in paper.getvalue()


@pytest.mark.parametrize(("total", "has_bar"), [(3, True), (None, False)])
def test_printer_shows_a_bar_on_a_terminal_where_it_can_count(paper, total, has_bar):
    printer = Printer(Console(file=paper, width=120, force_terminal=True, color_system=None))
    with printer.step("Load", total) as (_step, advance):
        advance(3)
    assert ("3/3" in paper.getvalue()) == has_bar
    assert "?" not in paper.getvalue().replace("\x1b[?25", "")
