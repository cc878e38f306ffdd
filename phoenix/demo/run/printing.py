"""The demo's report on a terminal, or as plain lines where there is none."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from rich.box import ROUNDED
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table as RichTable

from phoenix.demo.run.checks import Step, Table

Advance = Callable[[int], None]


class Printer:
    """Print steps as they end; `steps` keeps them."""

    def __init__(self, console: Console) -> None:
        """Print on that console."""
        self.console = console
        self.steps: list[Step] = []

    def headline(self, text: str, below: str) -> None:
        """Print what the run is about."""
        self.console.print(Panel(f"[bold]{escape(text)}[/bold]\n{escape(below)}", box=ROUNDED, border_style="cyan", expand=False))

    @contextmanager
    def step(self, title: str, total: int | None = None) -> Iterator[tuple[Step, Advance]]:
        """Time a step, show how far it is, and print what it found."""
        step = Step(title)
        started = time.perf_counter()
        with self._advancing(title, total) as advance:
            yield step, advance
        step.seconds = time.perf_counter() - started
        self.steps.append(step)
        self._print(step)

    def summary(self, seconds: float) -> None:
        """Print one line a step, what the run took besides, and the sum, which is the whole run."""
        table = RichTable(box=ROUNDED)
        table.add_column("Step")
        table.add_column("Seconds", justify="right")
        table.add_column("Checks", justify="right")
        table.add_column("")
        slowest = max(step.seconds for step in self.steps)
        for step in self.steps:
            held = len(step.checks) - len(step.failed)
            bar = "█" * max(1, round(24 * step.seconds / slowest))
            colour = "green" if step.holds else "red"
            table.add_row(
                escape(step.title),
                f"{step.seconds:.2f}",
                f"[{colour}]{held}/{len(step.checks)}[/{colour}]",
                f"[cyan]{bar}[/cyan]",
            )
        besides = seconds - sum(step.seconds for step in self.steps)
        table.add_row("[dim]between the steps: the queue server and the workers start and end[/dim]", f"{besides:.2f}", "", "")
        checks = [check for step in self.steps for check in step.checks]
        table.add_section()
        held = sum(check.holds for check in checks)
        table.add_row(
            "[bold]all[/bold]",
            f"[bold]{seconds:.2f}[/bold]",
            f"[bold]{held}/{len(checks)}[/bold]",
        )
        self.console.print(table)

    def closing(self, lines: list[str], *, is_good: bool) -> None:
        """Print what to do next."""
        self.console.print(Panel("\n".join(lines), box=ROUNDED, border_style="green" if is_good else "red", expand=False))

    @contextmanager
    def _advancing(self, title: str, total: int | None) -> Iterator[Advance]:
        """Show a bar while the block runs, where somebody watches."""
        if not self.console.is_terminal:
            yield _nobody_watches
            return
        counted = () if total is None else (BarColumn(bar_width=32), MofNCompleteColumn())
        columns = (SpinnerColumn(), TextColumn("{task.description}"), *counted, TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            yield partial(progress.advance, progress.add_task(escape(title), total=total))

    def _print(self, step: Step) -> None:
        mark = "[green]✓[/green]" if step.holds else "[red]✗[/red]"
        self.console.print(f"{mark} [bold]{escape(step.title)}[/bold] [dim]{step.seconds:.2f} s[/dim]")
        for fact in step.facts:
            self.console.print(f"  {escape(fact)}", highlight=False)
        for table in step.tables:
            self.console.print(f"  [dim]{escape(table.title)}[/dim]")
            self.console.print(Padding(_rich_table(table), (0, 0, 0, 2), expand=False))
        for check in step.failed:
            text = (
                f"  [red]expected[/red] {escape(check.text)} = {escape(repr(check.expected))}, found {escape(repr(check.found))}"
            )
            self.console.print(text, highlight=False)


def _nobody_watches(_count: int) -> None:
    """Show nothing."""


def _rich_table(table: Table) -> RichTable:
    shown = RichTable(box=ROUNDED)
    for column in table.columns:
        shown.add_column(escape(column.lstrip("#")), justify="right" if column.startswith("#") else "left")
    for row in table.rows:
        shown.add_row(*(escape(cell) for cell in row))
    return shown
