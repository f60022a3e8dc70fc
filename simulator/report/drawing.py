"""Figures drawn as SVG, with every text measured once."""

from __future__ import annotations

import io
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG
from matplotlib.textpath import text_to_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

_UNDATED = {"Date": None, "Creator": None}


class Canvas(FigureCanvasSVG):
    """A figure's canvas that lays out and measures with one renderer, at 72 dots an inch."""

    @cached_property
    def _measuring(self) -> _Renderer:
        return _renderer(self.figure, io.StringIO())

    def get_renderer(self) -> _Renderer:
        """What texts are measured with before anything is drawn."""
        return self._measuring


class _Renderer(RendererSVG):
    """An SVG being written; how large a text is does not depend on the picture."""

    def get_text_width_height_descent(
        self, s: str, prop: FontProperties, ismath: Any
    ) -> tuple[float, float, float]:
        return _size(s, prop, ismath)


@lru_cache(maxsize=10_000)
def _size(text: str, font: FontProperties, formula: Any) -> tuple[float, float, float]:
    """Width, height and depth of a text in points. Matplotlib hands over a font of its own."""
    size: tuple[float, float, float] = text_to_path.get_text_width_height_descent(
        text, font, formula
    )
    return size


def _renderer(figure: Figure, out: io.StringIO) -> _Renderer:
    return _Renderer(*figure.bbox.size, out, metadata=_UNDATED)  # type: ignore[no-untyped-call]


def drawn(figure: Figure) -> str:
    """The figure as an SVG file, without the date."""
    out = io.StringIO()
    renderer = _renderer(figure, out)
    figure.draw(renderer)
    renderer.finalize()  # type: ignore[no-untyped-call]
    return out.getvalue()
