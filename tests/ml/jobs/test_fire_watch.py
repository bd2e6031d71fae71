"""Fires: Planck's law, the contextual tests on scenes made by hand, planted fires, and the job under protection."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.ml.jobs.image_files import write_geotiff

from skyhall.constants import STEFAN_BOLTZMANN
from skyhall.errors import ValueProblem
from skyhall.integrity import ServeGuard, digest_of
from skyhall.jobs.fields import correlated
from skyhall.jobs.fire import DAY, HALO, NIGHT, FireDetector
from skyhall.jobs.fire_scenes import make_fire_scene
from skyhall.jobs.fire_watch import FireWatch, FireWatchParameters
from skyhall.jobs.job import make_job
from skyhall.jobs.planck import brightness_temperature, radiance

pytestmark = pytest.mark.ml

SIZE = 40


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def land(t4: float = 304.0, t11: float = 300.0) -> np.ndarray:
    """Return vegetation with a noise of 0.1 K."""
    bands = np.stack([np.full((SIZE, SIZE), value) for value in (t4, t11, 0.08, 0.25)])
    bands[:2] += np.random.default_rng(5).normal(0.0, 0.1, (2, SIZE, SIZE))
    return bands.astype(np.float32)


def fires_in(bands: np.ndarray, thresholds: object = DAY) -> list[tuple[int, int]]:
    around = ((0, 0), (HALO, HALO), (HALO, HALO))
    whole = torch.from_numpy(np.pad(bands, around, constant_values=np.nan))
    found = FireDetector(thresholds, 1e6)(whole)
    return [(int(row), int(column)) for row, column in found[:, :2].tolist()]


def test_plancks_law_adds_up_to_stefan_and_boltzmanns() -> None:
    wavelengths = np.geomspace(0.1, 1000.0, 200_001)
    total = np.trapezoid(radiance(1000.0, wavelengths), wavelengths)
    assert np.pi * total == pytest.approx(STEFAN_BOLTZMANN * 1000.0**4, rel=1e-5)


@pytest.mark.parametrize("wavelength", [3.96, 11.03])
def test_brightness_temperature_inverts_plancks_law(wavelength: float) -> None:
    kelvin = np.linspace(180.0, 1500.0, 200)
    assert brightness_temperature(radiance(kelvin, wavelength), wavelength) == pytest.approx(
        kelvin, rel=1e-12
    )


def test_a_correlated_field_has_the_variance_and_correlation_that_it_says() -> None:
    field = correlated(np.random.default_rng(1), (1024, 1024), 4.0)
    assert np.var(field) == pytest.approx(1.0, abs=0.03)
    assert np.mean(field[:, :-4] * field[:, 4:]) == pytest.approx(np.exp(-0.5), abs=0.03)


def test_a_hot_pixel_on_cool_land_is_a_fire() -> None:
    bands = land()
    bands[0, 20, 11] = 318.0
    assert fires_in(bands) == [(20, 11)]


def test_a_warm_field_is_no_fire() -> None:
    bands = land()
    bands[0, 8:32, 8:32] += 12.0  # 316 K, 4 µm above 11 µm by 12 K: every pixel is a candidate
    assert (bands[0] > DAY.potential).sum() == 24 * 24
    inner = [place for place in fires_in(bands) if all(13 <= at < 27 for at in place)]
    assert inner == []
    bands[0, 20, 20] += 12.0
    assert (20, 20) in fires_in(bands)


def test_a_noisy_field_needs_a_hotter_pixel() -> None:
    bands = land()
    bands[0, 20, 20] = 316.0
    assert fires_in(bands) == [(20, 20)]
    rough = bands.copy()
    rough[0] += np.random.default_rng(2).choice([-4.5, 4.5], (SIZE, SIZE)).astype(np.float32)
    rough[0, 20, 20] = 316.0  # 12 K above the mean, below 3 mean absolute deviations of 4.5 K
    assert (20, 20) not in fires_in(rough)


def unruly(seed: int, size: int = SIZE) -> np.ndarray:
    """Return a scene on which every test has its say: clouds, water, rough ground, fires near fires, missing pixels."""
    rng = np.random.default_rng(seed)

    def some(share: float) -> np.ndarray:
        return rng.random((size, size)) < share

    ground = rng.normal(0.0, rng.uniform(0.5, 4.0), (size, size))
    t4, t11 = 304.0 + ground, 300.0 + ground
    t4 += rng.normal(0.0, rng.uniform(0.2, 2.0), (size, size))
    t11 += rng.normal(0.0, 0.5, (size, size))
    red, near = np.full((size, size), 0.08), rng.uniform(0.2, 0.29, (size, size))
    warm, hot = some(0.05), some(0.03)
    t4[warm] = rng.uniform(309.0, 322.0, warm.sum())
    t11[warm] -= rng.uniform(0.0, 8.0, warm.sum())
    t4[hot] = rng.uniform(324.0, 324.0 + rng.choice([4.0, 60.0]), hot.sum())
    near[some(0.05)] = 0.31
    lake = some(0.1)
    red[lake], near[lake] = 0.06, 0.03
    t11[some(rng.uniform(0.1, 0.75))] = 250.0
    t4[some(0.02)] = np.nan
    return np.stack((t4, t11, red, near)).astype(np.float32)


@pytest.mark.parametrize("seed", range(8))
def test_fires_are_those_of_the_same_tests_done_pixel_by_pixel(seed: int) -> None:
    bands = unruly(seed)
    assert fires_in(bands) == plain(bands)
    assert len(plain(bands)) > 1


def plain(bands: np.ndarray) -> list[tuple[int, int]]:
    """Return the fires of a day pixel by pixel, by the equations of the documentation."""
    t4, t11, red, near = bands.astype(float)
    cloud = (red + near > 0.9) | (t11 < 265) | ((red + near > 0.7) & (t11 < 285))
    clear = np.isfinite(t4) & ~cloud & ~((near < 0.15) & (near < red))
    hot = clear & (t4 > 325) & (t4 - t11 > 20)
    fires = []
    for row, column in np.argwhere(clear & (t4 > 310) & (t4 - t11 > 10) & (near < 0.3)).tolist():
        for reach in range(1, 11):
            places = [
                (r, c)
                for r in range(max(row - reach, 0), min(row + reach + 1, SIZE))
                for c in range(max(column - reach, 0), min(column + reach + 1, SIZE))
                if not (r == row and abs(c - column) < 2)
            ]
            valid = tuple(
                np.array([at for at in places if clear[at] and not hot[at]], dtype=int).reshape(-1, 2).T
            )
            if len(valid[0]) >= max(8, 0.25 * (2 * reach + 1) ** 2):
                break
        else:
            if t4[row, column] > 360:
                fires.append((row, column))
            continue

        def spread(values: np.ndarray, at: tuple[np.ndarray, ...] = valid) -> tuple[float, float]:
            return values[at].mean(), np.abs(values[at] - values[at].mean()).mean()

        (m4, d4), (m11, d11), (md, dd) = spread(t4), spread(t11), spread(t4 - t11)
        burning = [t4[at] for at in places if hot[at]]
        among = np.abs(burning - np.mean(burning)).mean() if burning else 0.0
        here, difference = t4[row, column], t4[row, column] - t11[row, column]
        context = difference > md + 3.5 * dd and difference > md + 6 and here > m4 + 3 * d4
        if here > 360 or (context and (t11[row, column] > m11 + d11 - 4 or among > 5)):
            fires.append((row, column))
    return fires


def test_clouds_water_and_bright_ground_hide_fires() -> None:
    burning = land()
    burning[0, 20, 20] = 400.0
    assert fires_in(burning) == [(20, 20)]
    for band, value in ((1, 260.0), (3, 0.05), (3, 0.9), (0, np.nan)):
        hidden = burning.copy()
        hidden[band, 20, 20] = value
        assert fires_in(hidden) == []


def test_above_the_absolute_threshold_no_background_is_needed() -> None:
    bands = land()
    bands[1] = 250.0  # cloud all around
    bands[0, 20, 20], bands[1, 20, 20] = 361.0, 300.0
    assert fires_in(bands) == [(20, 20)]
    bands[0, 20, 20] = 359.0
    assert fires_in(bands) == []
    dark = bands[:2].copy()
    dark[0, 20, 20] = 321.0
    assert fires_in(dark, NIGHT) == [(20, 20)]


def test_radiative_power_is_that_of_the_planted_fire() -> None:
    # From 700 to 1200 K Planck's law stays within 11 % of the power law; noise and the land's own spread come on top.
    scene = make_fire_scene((4, 0), size=128, fires=40)
    bands = np.pad(scene.bands, ((0, 0), (HALO, HALO), (HALO, HALO)), constant_values=np.nan)
    found = {
        (int(r), int(c)): power for r, c, _, power in FireDetector(DAY, 1e6)(torch.from_numpy(bands)).tolist()
    }
    compared = 0
    for row, column, area, kelvin in zip(scene.rows, scene.columns, scene.area_m2, scene.kelvin, strict=True):
        if kelvin > 700.0 and area > 2000.0:
            planted = STEFAN_BOLTZMANN * kelvin**4 * area / 1e6
            assert found[int(row), int(column)] == pytest.approx(planted, rel=0.15)
            compared += 1
    assert compared > 5


def test_fires_of_1000_m2_are_routinely_found_and_of_100_m2_seldom() -> None:
    # What MODIS does, by its own description: flaming and smouldering fires of 1000 m² routinely
    job = FireWatch(FireWatchParameters(scenes=8, fires=20))
    done = finished(job)
    assert done["recall_by_class"]["above 1000 m2"] > 0.97
    assert done["recall_by_class"]["below 100 m2"] < 0.3
    assert done["precision"] > 0.9
    assert done["planted"] == 160
    assert done["synthetic"] is True


def finished(job: FireWatch) -> dict[str, object]:
    for number in range(job.units):
        job.keep(number, job.unit(number))
    return job.outcome()


def test_the_downlink_holds_what_was_found_in_eight_bytes_each() -> None:
    job = FireWatch(FireWatchParameters(scenes=3, size=64))
    done = finished(job)
    sent = np.frombuffer(job.downlink(), np.uint8)
    assert len(sent) == done["bytes_down"] == 3 * 6 + 8 * done["detections"]
    assert done["bytes_raw"] == 3 * 64 * 64 * 5 * 12 // 8
    count = int(sent[4:6].view("<u2")[0])
    words = sent[6 : 6 + 8 * count].view("<u2").reshape(count, 4)
    first = [each for each in done["found"] if each["scene"] == 0]
    assert words[:, 0].tolist() == [each["row"] for each in first]
    assert words[:, 2] / 100.0 == pytest.approx([each["temperature_k"] for each in first], abs=0.006)


def test_a_unit_gives_the_same_bits_again_and_under_protection() -> None:
    job = FireWatch(FireWatchParameters(scenes=2, size=96))
    clean = digest_of(job.unit(1))
    assert digest_of(FireWatch(job.parameters).unit(1)) == clean != digest_of(job.unit(0))
    for level in ("abft", "full"):
        guard = ServeGuard(job.model, level=level)
        assert digest_of(guard.run(lambda: job.unit(1))) == clean
        assert not guard.report.alarms


def test_a_flipped_threshold_is_put_right_before_it_is_used() -> None:
    job = FireWatch(FireWatchParameters(scenes=1, size=96))
    clean = digest_of(job.unit(0))
    guard = ServeGuard(job.model)
    job.model.potential.view(torch.int32).bitwise_xor_(1 << 26)  # 310 K becomes 79,360 K
    assert digest_of(job.unit(0)) != clean
    assert digest_of(guard.run(lambda: job.unit(0))) == clean
    assert [alarm.action for alarm in guard.report.alarms] == ["corrected"]


def test_more_fires_than_records_leave_the_strongest_and_are_counted() -> None:
    whole = finished(FireWatch(FireWatchParameters(scenes=1)))
    short = finished(FireWatch(FireWatchParameters(scenes=1, most=5)))
    assert short["detections"] == whole["detections"]
    assert short["dropped"] == whole["detections"] - 5
    strongest = sorted(whole["found"], key=lambda each: each["power_mw"])[-5:]
    assert short["found"] == sorted(strongest, key=lambda each: (each["row"], each["column"]))


def test_an_image_gives_the_same_fires_in_tiles_as_whole(tmp_path: Path) -> None:
    path = write_geotiff(tmp_path / "scene.tif", unruly(3, 100))
    whole = finished(FireWatch(FireWatchParameters(scene=str(path))))
    tiled = FireWatch(FireWatchParameters(scene=str(path), size=32))
    assert tiled.units == 16
    done = finished(tiled)

    def places(found: object) -> list[tuple[float, ...]]:
        return sorted((each["row"], each["column"], each["temperature_k"]) for each in found)

    assert places(done["found"]) == places(whole["found"])
    assert len(whole["found"]) > 20
    assert whole["precision"] is whole["recall"] is whole["planted"] is None
    assert whole["synthetic"] is False
    assert done["bytes_raw"] == whole["bytes_raw"] == 100 * 100 * 4 * 2
    first = whole["found"][0]
    assert first["lon_deg"] == pytest.approx(10.0 + 0.01 * (first["column"] + 0.5))
    assert first["lat_deg"] == pytest.approx(50.0 - 0.01 * (first["row"] + 0.5))


def test_at_night_two_bands_are_enough(tmp_path: Path) -> None:
    scene = make_fire_scene((7, 0), size=64, fires=5, light="night")
    path = write_geotiff(tmp_path / "scene.tif", scene.bands)
    assert finished(FireWatch(FireWatchParameters(scene=str(path), light="night")))["detections"] > 0
    with pytest.raises(ValueProblem, match="is an array of 2 x 64 x 64"):
        FireWatch(FireWatchParameters(scene=str(path)))


def test_images_in_other_units_are_refused(tmp_path: Path) -> None:
    bands = land()
    for name, wrong, said in (
        ("celsius", np.concatenate((bands[:2] - 273.15, bands[2:])), "a median of 30"),
        ("percent", np.concatenate((bands[:2], 100.0 * bands[2:])), "a median of 8 in band 3"),
        ("words", (100.0 * bands).astype(np.uint16), "holds whole numbers"),
    ):
        path = write_geotiff(tmp_path / f"{name}.tif", wrong)
        with pytest.raises(ValueProblem, match=said) as raised:
            FireWatch(FireWatchParameters(scene=str(path)))
        assert "brightness temperature at 4 and 11 µm in K" in str(raised.value.right)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"light": "dusk"}, "there is no light 'dusk'"),
        ({"size": "8"}, "8 is too small"),
        ({"size": "10000"}, "10000 is too large"),
        ({"fires": "-1"}, "-1 is too small"),
        ({"pixel_m": "nan"}, "nan is too small"),
        ({"fire": "3"}, "there is no parameter 'fire'"),
    ],
)
def test_wrong_parameters_are_named(texts: dict[str, str], said: str) -> None:
    with pytest.raises(ValueProblem, match=said):
        make_job("fire-watch", texts)


def test_a_half_done_job_goes_on_where_it_was() -> None:
    parameters = FireWatchParameters(scenes=3, size=64)
    whole = FireWatch(parameters)
    finished(whole)
    first = FireWatch(replace(parameters))
    first.keep(0, first.unit(0))
    second = FireWatch(parameters)
    for number in range(second.load(first.save(1)), 3):
        second.keep(number, second.unit(number))
    assert second.outcome() == whole.outcome()
    assert first.outcome()["scenes"] == 1
    assert first.told(1) == f"{first.outcome()['detections']} found"
