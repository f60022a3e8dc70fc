"""Names in a chart: beside their points, and apart from each other."""

from __future__ import annotations

import pandas as pd
import pytest

from simulator.web.charts import _below, _sides


@pytest.mark.parametrize(
    ("points", "below"),
    [
        ([(60, 0.2), (230, 0.24), (283, 0.225)], [False, False, True]),
        ([(60, 0.2), (230, 0.24), (283, 0.1)], [False, False, False]),
        ([(200, 0.2), (220, 0.2), (240, 0.2)], [False, True, False]),
    ],
)
def test_names_of_near_neighbours_stand_above_and_below(
    points: list[tuple[float, float]], below: list[bool]
) -> None:
    data = pd.DataFrame(points, columns=["time", "harm"]).assign(written="x")
    assert list(_below(data, _sides(data))) == below
