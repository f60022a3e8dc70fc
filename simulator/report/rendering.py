"""Templates of pages: everything escaped that is not marked as safe, colours as in the charts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from simulator import __version__
from simulator.report import charts

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **told: Any) -> str:
    """A page from its template; a name that the template uses and nobody gave is an error."""
    light = {f"c{i}": colour for i, colour in enumerate(charts.COLOURS)}
    dark = {name: charts.LIGHTER.get(colour, colour) for name, colour in light.items()}
    page = _templates().get_template(template)
    return page.render(version=__version__, light=light, dark=dark, **told)


@cache
def _templates() -> Environment:
    """The package's templates, each compiled once."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("simulator.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        auto_reload=False,
    )
