from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from skyhall.errors import ValueProblem
from skyhall.report.plate_carree import place
from skyhall.report.plot import text_width
from skyhall.report.world_map import world_map

SVG = "{http://www.w3.org/2000/svg}"
LATITUDE, LONGITUDE = np.arange(-90.0, 91.0, 2.5), np.arange(-180.0, 180.0, 5.0)
CENTRE = (-49.0, -26.0)


def bump(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Something like the anomaly on a floor of cosmic rays, with belts at high latitudes."""
    b, e = np.meshgrid(latitude, (longitude + 180.0) % 360.0 - 180.0, indexing="ij")
    anomaly = 2.3 * np.exp(-(((b - CENTRE[1]) / 16.0) ** 2) - ((e - CENTRE[0]) / 38.0) ** 2)
    return np.asarray(anomaly + 0.004 + 0.03 * np.exp(-(((np.abs(b) - 65.0) / 7.0) ** 2)))


FIELD = bump(LATITUDE, LONGITUDE)


def drawn(figure: str) -> ElementTree.Element:
    assert not re.search(r'="[^"]*\b(nan|inf)\b', figure, flags=re.IGNORECASE)
    return ElementTree.fromstring(figure)


def levels(figure: str) -> list[ElementTree.Element]:
    return [path for path in drawn(figure).iter(f"{SVG}path") if path.get("fill-opacity")]


def corners(path: str) -> np.ndarray:
    """The corners of a path's pieces in pixels."""
    found = []
    for piece in path.split("M")[1:]:
        start, _, steps = piece.rstrip("z").partition("l")
        moves = np.array(steps.split(), dtype=float).reshape(-1, 2)
        found.append(np.cumsum(np.vstack([np.array(start.split(), dtype=float), moves]), axis=0))
    return np.vstack(found)


def border(figure: str) -> np.ndarray:
    (path,) = [each for each in drawn(figure).iter(f"{SVG}path") if "dasharray" in (each.get("style") or "")]
    return corners(path.get("d") or "")


def test_the_map_is_well_formed_says_what_it_shows_and_is_small() -> None:
    figure = world_map(LATITUDE, LONGITUDE, FIELD, title="Upsets", unit="1/h", label="Where upsets happen")
    root = drawn(figure)
    assert (root.get("role"), root.get("aria-label")) == ("img", "Where upsets happen")
    assert root.findtext(f"{SVG}desc") == "Highest: 2.29 1/h at 25° S, 50° W."
    assert len(figure.encode()) < 60_000


def test_the_border_lies_where_the_field_has_the_threshold() -> None:
    east = CENTRE[0] + 38.0 * np.sqrt(np.log(2.3 / (1.0 - 0.004)))
    line = border(world_map(LATITUDE, LONGITUDE, FIELD, title="Upsets", threshold=1.0))
    assert line[:, 0].max() == pytest.approx(place(east, 0.0)[0], abs=1.5)  # px
    north = CENTRE[1] + 16.0 * np.sqrt(np.log(2.3 / (1.0 - 0.004)))
    assert line[:, 1].min() == pytest.approx(place(0.0, north)[1], abs=1.5)


def test_a_point_is_marked_where_it_is() -> None:
    figure = world_map(LATITUDE, LONGITUDE, FIELD, title="Upsets", points=[(*CENTRE, "highest")])
    (dot,) = drawn(figure).iter(f"{SVG}circle")
    assert (float(dot.get("cx") or 0), float(dot.get("cy") or 0)) == pytest.approx(place(*CENTRE), abs=0.06)


@pytest.mark.parametrize("first", [0.0, -177.5, 2.5])
def test_a_grid_of_any_longitudes_gives_the_same_border(first: float) -> None:
    same = border(world_map(LATITUDE, LONGITUDE, FIELD, title="Upsets", threshold=0.3))
    longitude = first + np.arange(0.0, 360.0, 5.0)
    other = border(world_map(LATITUDE, longitude, bump(LATITUDE, longitude), title="Upsets", threshold=0.3))
    for axis in (0, 1):
        assert np.ptp(other[:, axis]) == pytest.approx(np.ptp(same[:, axis]), abs=1.5)


def test_descending_latitudes_give_the_same_map() -> None:
    up = world_map(LATITUDE, LONGITUDE, FIELD, title="Upsets")
    assert world_map(LATITUDE[::-1], LONGITUDE, FIELD[::-1], title="Upsets") == up


def test_levels_reach_from_edge_to_edge_where_the_grid_goes_around() -> None:
    across = [
        corners(path.get("d") or "") for path in levels(world_map(LATITUDE, LONGITUDE, FIELD, title="x"))
    ]
    assert across[0][:, 0].min() == pytest.approx(place(-180.0, 0.0)[0], abs=0.1)
    assert across[0][:, 0].max() == pytest.approx(place(180.0, 0.0)[0], abs=0.1)


def test_levels_darken_upwards_as_the_legend_does() -> None:
    figure = world_map(LATITUDE, LONGITUDE, FIELD, title="x")
    added = [float(path.get("fill-opacity") or 0) for path in levels(figure)]
    total = 1.0 - np.cumprod(1.0 - np.array(added))
    swatches = [
        float(each.get("fill-opacity") or 0) for each in drawn(figure).iter(f"{SVG}rect") if each.get("fill")
    ]
    assert total == pytest.approx(swatches, abs=0.005)
    assert min(b - a for a, b in pairwise(swatches)) > 0.1


def test_higher_levels_cover_less() -> None:
    figure = world_map(LATITUDE, LONGITUDE, FIELD, title="x", levels=[0.1, 0.3, 1.0])
    boxes = [np.prod(np.ptp(corners(path.get("d") or ""), axis=0)) for path in levels(figure)]
    assert boxes == sorted(boxes, reverse=True)
    assert len(boxes) == 3


def test_missing_and_zero_values_are_below_every_level() -> None:
    field = FIELD.copy()
    field[:, :36] = np.nan
    field[:10] = 0.0
    line = corners(levels(world_map(LATITUDE, LONGITUDE, field, title="x", levels=[0.001]))[0].get("d") or "")
    assert line[:, 0].min() > place(-10.0, 0.0)[0]
    assert line[:, 1].max() < place(0.0, -69.0)[1]


@pytest.mark.parametrize("value", [0.0, np.nan, 3.0])
@pytest.mark.parametrize("logarithmic", [True, False])
def test_a_field_without_a_shape_can_be_drawn(value: float, logarithmic: bool) -> None:
    field = np.full(FIELD.shape, value)
    figure = world_map(LATITUDE, LONGITUDE, field, title="x", logarithmic=logarithmic, threshold=1.0)
    assert levels(figure) == []


def test_a_rough_field_on_a_fine_grid_stays_small() -> None:
    latitude, longitude = np.arange(-90.0, 90.5), np.arange(-180.0, 180.0)
    rough = 10.0 ** np.random.default_rng(1).normal(size=(181, 360))
    assert len(world_map(latitude, longitude, rough, title="x").encode()) < 60_000


def test_a_track_over_the_date_line_leaves_the_map_and_comes_back() -> None:
    figure = world_map(
        LATITUDE, LONGITUDE, FIELD, title="x", tracks={"one": ([170.0, 178.0, -174.0], [0.0, 8.0, 16.0])}
    )
    (line,) = [each for each in drawn(figure).iter(f"{SVG}path") if each.get("class") == "line"]
    path = line.get("d") or ""
    expected = [*place(170.0, 0.0), *place(-180.0, 10.0)]
    starts = [float(value) for start in re.findall(r"M([^l]+)", path) for value in start.split()]
    assert starts == pytest.approx(expected, abs=0.06)
    assert corners(path)[:, 0].max() == pytest.approx(place(180.0, 0.0)[0], abs=0.1)


def test_texts_stay_inside_and_names_of_near_places_apart() -> None:
    near = [(179.0, -17.0, "Suva"), (-70.7, -33.5, "Santiago"), (-71.6, -33.0, "Valparaíso")]
    root = drawn(
        world_map(LATITUDE, LONGITUDE, FIELD, title="Upsets", unit="1/h", points=near, threshold=0.1)
    )
    boxes = []
    for text in root.iter(f"{SVG}text"):
        wide = text_width(text.text or "", 11.0)
        share = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.get("text-anchor", "start")]
        left = float(text.get("x") or 0) - share * wide
        assert left > -4.0
        assert left + wide < 944.0
        if text.get("class") == "value":
            boxes.append((left, left + wide, float(text.get("y") or 0)))
    for index, (left, right, y) in enumerate(boxes):
        for other in boxes[index + 1 :]:
            assert right < other[0] or other[1] < left or abs(y - other[2]) > 12.0


def test_names_are_escaped() -> None:
    figure = world_map(LATITUDE, LONGITUDE, FIELD, title="a < b", points=[(0.0, 0.0, "c & d")])
    assert {"a < b", "c & d"} <= {text.text for text in drawn(figure).iter(f"{SVG}text")}


@pytest.mark.parametrize(
    ("latitude", "longitude", "values"),
    [([], [], []), ([0.0, 1.0], [], [[], []]), ([0.0, 1.0], [0.0, 1.0], [[1.0, 2.0, 3.0]])],
)
def test_an_empty_or_wrong_grid_is_an_error(
    latitude: list[float], longitude: list[float], values: list[float]
) -> None:
    with pytest.raises(ValueProblem, match="map"):
        world_map(latitude, longitude, values, title="x")


def test_an_unknown_colour_is_an_error() -> None:
    with pytest.raises(ValueProblem, match="colour"):
        world_map(LATITUDE, LONGITUDE, FIELD, title="x", colour="teal")
