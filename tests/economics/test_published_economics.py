"""Published prices reproduced in their sources' own conventions (which are stated with each)."""

from __future__ import annotations

import math

import pytest

from skyhall.economics.cost_sheet import Boundary, CostLine, CostSheet
from skyhall.economics.finance import levelized
from skyhall.economics.ground import (
    GroundSite,
    facility_energy_kwh_per_year,
    fuel_usd_per_kwh,
    ground_lines,
    power_price_usd_per_kw_year,
)
from skyhall.economics.launch import (
    Vehicle,
    launch_cost,
    launched_power_price,
    learning_exponent,
    manifest,
    mass_at_price,
)
from skyhall.economics.operate import mean_degradation

YEAR_H = 8760.0  # the calculators count 365 days


class TestSuncatcher:
    """arXiv:2511.19468v2 (Google, Project Suncatcher)."""

    def test_twenty_percent_cheaper_per_doubling_is_exponent_0_322(self) -> None:
        assert float(learning_exponent(0.8)) == pytest.approx(0.322, abs=0.0005)

    def test_200_usd_per_kg_is_reached_after_370_thousand_tonnes(self) -> None:
        assert float(mass_at_price(200.0, 1800.0, 400.0, 0.8)) == pytest.approx(370_000, rel=0.01)

    @pytest.mark.parametrize(
        ("kg", "kw", "usd_per_kg", "published"),
        [(575, 28, 3600, 14700), (575, 28, 200, 810), (260, 7, 3600, 26600), (260, 7, 200, 1470)],
    )
    def test_launched_power_price(self, kg: float, kw: float, usd_per_kg: float, published: float) -> None:
        assert launched_power_price(kg / kw, 5.0, usd_per_kg) == pytest.approx(published, rel=0.02)

    @pytest.mark.parametrize(("usd_per_kwh", "pue", "published"), [(0.06, 1.09, 570), (0.25, 1.4, 3000)])
    def test_terrestrial_power_price(self, usd_per_kwh: float, pue: float, published: float) -> None:
        ours = power_price_usd_per_kw_year(usd_per_kwh, pue, hours_per_year=YEAR_H)
        assert ours == pytest.approx(published, rel=0.03)


class TestStarcloud:
    """Starcloud white paper v1.03: 40 MW of IT for ten years, energy only, no discount."""

    YEARS = 10.0
    EVERY: tuple[Boundary, ...] = ("launch", "build", "installed", "delivered")

    def sheet(self, launches: float) -> CostSheet:
        def line(name: str, capital: float, annual: float = 0.0) -> CostLine:
            return CostLine.over_life(
                name,
                name,
                self.EVERY,
                wacc=0.0,
                life_years=self.YEARS,
                capital_usd=capital,
                annual_usd=annual,
            )

        site = GroundSite("Starcloud's ground", 0.0, self.YEARS, pue=1.0, energy_usd_per_kwh=0.04)
        energy = facility_energy_kwh_per_year(site, 40e6) * site.energy_usd_per_kwh
        vehicle = Vehicle("Starship", price_usd_per_kg=50.0, payload_kg=100e3)
        launch, _ = launch_cost(manifest(1, 100e3, vehicle), vehicle)
        hours = 40e3 * 8766
        return CostSheet(
            orbit=(line("array", 2e6), line("launch", launches * launch), line("shield", 1.2e6)),
            ground=(line("energy", 0.0, energy), line("chiller", 7e6), line("backup", 20e6)),
            gpus=40e3,
            installed_gpu_h_per_year=hours,
            delivered_gpu_h_per_year=hours,
            ground_delivered_gpu_h_per_year=hours,
            launch_price_usd_per_kg=50.0,
        )

    def test_ground_energy_costs_140_million(self) -> None:
        energy = next(line for line in self.sheet(1).ground if line.name == "energy")
        assert energy.annual_usd * self.YEARS == pytest.approx(140.2e6, rel=0.01)

    def test_table_is_167_million_on_the_ground_and_8_2_in_space(self) -> None:
        sheet = self.sheet(1)
        assert sheet.total("installed", "ground") * self.YEARS == pytest.approx(167e6, rel=0.01)
        assert sheet.total("installed", "orbit") * self.YEARS == pytest.approx(8.2e6, rel=0.01)

    @pytest.mark.parametrize(("launches", "millions"), [(5, 28.2), (22, 113.2)])
    def test_counter_case_with_every_launch_is_tens_to_hundreds_of_millions(
        self, launches: int, millions: float
    ) -> None:
        assert self.sheet(launches).total() * self.YEARS == pytest.approx(millions * 1e6, rel=0.01)


class TestMcCalip:
    """andrewmccalip/thoughts at its current default: nominal capacity, no accelerators, no discount, 8,760 h.

    A megawatt of nominal power stands for a GPU, so that GPU-hours are MWh.
    """

    YEARS = 5.0
    TARGET_MW = 1000.0
    BUILD: tuple[Boundary, ...] = ("build", "installed", "delivered")
    TOTAL: tuple[Boundary, ...] = ("installed", "delivered")

    degradation = float(mean_degradation(0.025, YEARS))
    initial_w = TARGET_MW * 1e6 / (0.98 * degradation)
    satellites = math.ceil(initial_w / 27e3)
    mass_kg = initial_w / 36.5
    hardware_usd = 22.0 * initial_w

    def line(self, name: str, tags: tuple[Boundary, ...], usd: float, launched_kg: float = 0.0) -> CostLine:
        return CostLine.over_life(
            name,
            name,
            tags,
            wacc=0.0,
            life_years=self.YEARS,
            capital_usd=usd,
            launched_capital_kg=launched_kg,
        )

    @property
    def site(self) -> GroundSite:
        return GroundSite(
            "gas turbine",
            facility_usd_per_w=5.25 + 3.0 + 2.5 + 1.75,
            facility_life_years=self.YEARS,
            pue=1.2,
            energy_usd_per_kwh=float(fuel_usd_per_kwh(4.30, 6200.0)),
            plant_usd_per_w=1.8,
            load_factor=0.85,
        )

    @property
    def sheet(self) -> CostSheet:
        power_w = self.TARGET_MW * 1e6
        hours = self.TARGET_MW * YEAR_H
        return CostSheet(
            orbit=(
                self.line("launch", ("launch", *self.BUILD), 500.0 * self.mass_kg, self.mass_kg),
                self.line("hardware", self.BUILD, self.hardware_usd),
                self.line("engineering", self.TOTAL, 1e9),
                self.line("operations", self.TOTAL, 0.05 * self.hardware_usd),
                self.line("replacement", self.TOTAL, 0.09 * self.YEARS * self.hardware_usd),
            ),
            ground=ground_lines(
                self.site,
                accelerators=0,
                accelerator_usd=0,
                it_power_w=power_w,
                wacc=0.0,
                hours_per_year=YEAR_H,
            ),
            gpus=self.TARGET_MW,
            installed_gpu_h_per_year=hours,
            delivered_gpu_h_per_year=hours,
            ground_delivered_gpu_h_per_year=hours * 0.85,
            launch_price_usd_per_kg=500.0,
        )

    def test_mean_degradation_factor(self) -> None:
        assert self.degradation == pytest.approx(0.95123, rel=1e-5)

    def test_satellites_and_mass(self) -> None:
        assert self.satellites == 39731
        assert self.mass_kg == pytest.approx(29.390e6, rel=0.002)

    @pytest.mark.parametrize(
        ("name", "billions"),
        [("hardware", 23.600), ("launch", 14.695), ("operations", 1.180), ("replacement", 10.620)],
    )
    def test_orbital_lines(self, name: str, billions: float) -> None:
        line = next(line for line in self.sheet.orbit if line.name == name)
        assert line.capital_usd == pytest.approx(billions * 1e9, rel=0.002)

    def test_orbit_costs_51_billion_and_1167_usd_per_mwh(self) -> None:
        assert self.sheet.capital("delivered") == pytest.approx(51.095e9, rel=0.002)
        assert self.sheet.per_gpu_h("delivered") == pytest.approx(1166.6, rel=0.002)

    def test_ground_fuel_and_capital_per_watt(self) -> None:
        fuel = next(line for line in self.sheet.ground if line.name == "electricity")
        assert fuel.annual_usd * self.YEARS == pytest.approx(1.191e9, rel=0.002)
        assert self.sheet.capital("installed", "ground") / 1e9 == pytest.approx(14.66, rel=0.002)

    def test_ground_costs_15_9_billion_and_426_usd_per_mwh(self) -> None:
        assert self.sheet.total("installed", "ground") * self.YEARS == pytest.approx(15.851e9, rel=0.002)
        assert self.sheet.per_gpu_h("delivered", "ground") == pytest.approx(425.8, rel=0.002)

    def test_break_even_of_launch_and_build_is_minus_264(self) -> None:
        assert self.sheet.break_even("build").price_usd_per_kg == pytest.approx(-263.7, rel=0.002)

    def test_break_even_with_operations_engineering_and_replacement_is_minus_699(self) -> None:
        assert self.sheet.break_even("installed").price_usd_per_kg == pytest.approx(-699, rel=0.002)

    def test_no_launch_price_closes_it_and_hardware_binds(self) -> None:
        answer = self.sheet.break_even("installed")
        assert not answer.closes
        assert answer.binding_term == "hardware"
        assert answer.sentence.startswith("no launch price closes it")


class TestSemiAnalysis:
    """SemiAnalysis, June 2026 (second hand): 16 B300, 30.5 kW, capital recovered monthly."""

    HOURS = 16 * YEAR_H

    @property
    def orbit(self) -> float:
        return float(levelized(4.1e6, 0.0, 0.15, 5.0)) / self.HOURS + 0.36

    @property
    def ground(self) -> float:
        servers, building = levelized(0.986e6, 0.0, 0.103, 5.0), levelized(1.4e6 - 0.986e6, 0.0, 0.103, 15.0)
        energy = 30.5 * float(power_price_usd_per_kw_year(0.087, 1.35, hours_per_year=YEAR_H))
        return (float(servers) + float(building) + energy) / self.HOURS

    def test_total_cost_per_gpu_hour(self) -> None:
        assert self.orbit == pytest.approx(8.64, rel=0.05)
        assert self.ground == pytest.approx(2.37, rel=0.05)

    def test_cost_per_useful_gpu_hour(self) -> None:
        assert self.orbit * 1.20 / 0.95 == pytest.approx(10.91, rel=0.05)
        assert self.ground * 1.05 == pytest.approx(2.49, rel=0.05)
