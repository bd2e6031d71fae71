from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.economics.economics_inputs import INPUTS

from skyhall.economics import BOUNDARIES, CostInputs, CostSheet, OrbitReliability, price_design
from skyhall.errors import ValueProblem

money = st.floats(0, 1e9)
designs = st.builds(
    lambda count, accelerator, price, delivered, success, engineering, replacement, insured: replace(
        INPUTS,
        batches=(replace(INPUTS.batches[0], satellites=count), INPUTS.batches[0]),
        accelerator_usd=accelerator,
        delivered_fraction=delivered,
        vehicle=replace(INPUTS.vehicle, price_usd_per_kg=price, success_rate=success),
        builder=replace(INPUTS.builder, engineering_usd=engineering),
        reliability=replace(INPUTS.reliability, replacement=replacement),
        operations=replace(INPUTS.operations, insured_share=insured),
    ),
    st.integers(1, 10**6),
    st.floats(0, 1e5),
    st.floats(0, 1e4),
    st.floats(0.01, 1),
    st.floats(0.5, 1),
    money,
    st.sampled_from(["none", "replenish"]),
    st.floats(0, 1),
)


@given(designs)
@settings(max_examples=50)
def test_families_and_rows_add_up_to_every_boundary(design: CostInputs) -> None:
    sheet = price_design(design)
    for boundary in BOUNDARIES:
        for side in ("orbit", "ground"):
            assert sum(sheet.by_family(boundary, side).values()) == pytest.approx(
                sheet.per_gpu_h(boundary, side)
            )
            rows = [
                row
                for row in sheet.as_rows()
                if row["side"] == side and boundary in str(row["boundaries"]).split()
            ]
            total = sum(float(row["levelized_usd_per_year"]) for row in rows)
            assert total == pytest.approx(sheet.total(boundary, side))


@given(designs)
@settings(max_examples=50)
def test_a_wider_boundary_never_costs_less(design: CostInputs) -> None:
    sheet = price_design(design)
    costs = [row.orbit_usd_per_gpu_h for row in sheet.boundaries()]
    assert costs == sorted(costs)


@given(designs)
@settings(max_examples=50)
def test_at_the_break_even_price_orbit_costs_what_the_ground_does(design: CostInputs) -> None:
    sheet = price_design(design)
    for boundary in BOUNDARIES:
        answer = sheet.break_even(boundary)
        if answer.closes:
            vehicle = replace(design.vehicle, price_usd_per_kg=answer.price_usd_per_kg)
            again = price_design(replace(design, vehicle=vehicle))
            assert again.per_gpu_h(boundary) == pytest.approx(again.per_gpu_h(boundary, "ground"), rel=1e-6)
        else:
            free = price_design(replace(design, vehicle=replace(design.vehicle, price_usd_per_kg=0.0)))
            assert free.per_gpu_h(boundary) >= free.per_gpu_h(boundary, "ground") * (1 - 1e-9)


@given(designs)
@settings(max_examples=50)
def test_each_line_says_how_it_grows_with_the_launch_price(design: CostInputs) -> None:
    sheet = price_design(design)
    dearer = replace(design.vehicle, price_usd_per_kg=design.vehicle.price_usd_per_kg + 100)
    grown = {
        line.name: line.levelized_usd_per_year for line in price_design(replace(design, vehicle=dearer)).orbit
    }
    for item in sheet.orbit:
        expected = item.levelized_usd_per_year + 100 * item.launched_kg_per_year
        assert grown[item.name] == pytest.approx(expected, rel=1e-9, abs=1e-3)


def test_the_ground_delivers_what_availability_and_restarts_leave(inputs: CostInputs) -> None:
    sheet = price_design(replace(inputs, ground=replace(inputs.ground, availability=0.9, lost_share=0.05)))
    assert sheet.ground_delivered_gpu_h_per_year == pytest.approx(0.855 * sheet.installed_gpu_h_per_year)


def line(sheet: CostSheet, name: str) -> float:
    return sum(line.capital_usd + line.annual_usd for line in sheet.orbit if line.name == name)


def test_launch_only_counts_flights_alone(inputs: CostInputs) -> None:
    assert [line.name for line in price_design(inputs).lines("launch")] == ["launch"]


def test_forty_flights_at_250_usd_per_kg_cost_a_billion(inputs: CostInputs) -> None:
    assert line(price_design(inputs), "launch") == pytest.approx(1e9)


def test_accelerators_cost_the_same_in_orbit_and_on_the_ground(inputs: CostInputs) -> None:
    sheet = price_design(inputs)
    ground = next(line for line in sheet.ground if line.name == "accelerators")
    assert line(sheet, "accelerators") == ground.capital_usd == 1600 * 64 * 60e3


def test_a_lost_flight_is_built_and_flown_again(inputs: CostInputs) -> None:
    sheet = price_design(inputs)
    placed = sum(line(sheet, name) for name in ("launch", "bus", "solar array", "battery", "radiator"))
    placed += line(sheet, "accelerators") + line(sheet, "spare accelerators")
    assert line(sheet, "launch failures") == pytest.approx(placed * (1 / 0.98 - 1))


def test_insurance_takes_the_place_of_the_losses_that_it_pays(inputs: CostInputs) -> None:
    insured = price_design(replace(inputs, operations=replace(inputs.operations, insured_share=1.0)))
    assert "launch failures" not in [line.name for line in insured.orbit]
    assert line(insured, "insurance") > 0


def test_replenishment_keeps_the_capacity_for_a_yearly_price(inputs: CostInputs) -> None:
    decaying = price_design(inputs)
    kept = price_design(replace(inputs, reliability=replace(inputs.reliability, replacement="replenish")))
    assert kept.delivered_gpu_h_per_year > decaying.delivered_gpu_h_per_year
    assert line(kept, "replenishment") > 0


def test_delivered_hours_are_light_times_survival_times_verified_work(inputs: CostInputs) -> None:
    sheet = price_design(inputs)
    expected = 0.95 * inputs.surviving * (0.95 / 1.10)
    assert sheet.delivered_gpu_h_per_year / sheet.installed_gpu_h_per_year == pytest.approx(expected)


def test_spares_are_paid_for_but_not_sold(inputs: CostInputs) -> None:
    sheet = price_design(inputs)
    assert sheet.gpus == 1600 * 64
    assert line(sheet, "spare accelerators") == pytest.approx(0.2 * line(sheet, "accelerators"))


def test_where_free_launch_loses_the_binding_term_is_named(inputs: CostInputs) -> None:
    answer = price_design(inputs).break_even()
    assert not answer.closes
    assert answer.status == "no launch price closes it"
    assert answer.price_usd_per_kg < 0
    assert answer.binding_term == "solar array"
    assert "the binding term is solar array, which adds" in answer.sentence


@pytest.mark.parametrize("delivered", [0.85, 0.95, 1.0])
def test_the_stretch_that_was_flown_does_not_change_what_binds(inputs: CostInputs, delivered: float) -> None:
    answer = price_design(replace(inputs, delivered_fraction=delivered)).break_even()
    assert answer.binding_term == "solar array"


def saved(sheet: CostSheet, term: str) -> float:
    return next(each.saved_usd_per_gpu_h for each in sheet.counterfactuals() if each.term == term)


def test_a_free_array_saves_its_line_over_the_delivered_hours(inputs: CostInputs) -> None:
    sheet = price_design(inputs)
    array = next(line for line in sheet.orbit if line.name == "solar array").levelized_usd_per_year
    assert saved(sheet, "solar array") == pytest.approx(array / sheet.delivered_gpu_h_per_year)


def test_the_ground_s_cost_of_capital_saves_what_dearer_money_costs(inputs: CostInputs) -> None:
    free = replace(inputs, vehicle=replace(inputs.vehicle, price_usd_per_kg=0.0))
    cheap = replace(free, finance=replace(inputs.finance, wacc_space=inputs.finance.wacc_ground))
    difference = price_design(free).usd_per_delivered_gpu_h - price_design(cheap).usd_per_delivered_gpu_h
    assert saved(price_design(inputs), "cost of capital") == pytest.approx(difference)


def test_hours_as_on_the_ground_save_their_share_of_the_price(inputs: CostInputs) -> None:
    dark = price_design(replace(inputs, delivered_fraction=0.5))
    ground = inputs.ground.availability
    free = dark.usd_per_delivered_gpu_h - dark.gap()["launch price"]
    assert saved(dark, "light, power and heat") == pytest.approx(free * (1 - 0.5 / ground))
    assert dark.break_even().binding_term == "light, power and heat"


def test_a_term_that_closes_the_gap_has_a_positive_break_even(inputs: CostInputs) -> None:
    sheet = price_design(replace(inputs, delivered_fraction=0.3, reliability=OrbitReliability(0.0, 0.0)))
    first, *_, last = sheet.counterfactuals()
    assert first.break_even_usd_per_kg > sheet.break_even().price_usd_per_kg
    assert first.saved_usd_per_gpu_h >= last.saved_usd_per_gpu_h


def cheap(inputs: CostInputs, launch_usd_per_kg: float) -> CostSheet:
    parts = replace(inputs.parts, array_usd_per_w=0.5, radiator_usd_per_m2=200, bus_usd_per_kg=100)
    return price_design(
        replace(
            inputs,
            parts=parts,
            builder=replace(inputs.builder, engineering_usd=0.0),
            reliability=OrbitReliability(0.0, 0.0),
            finance=replace(inputs.finance, wacc_space=inputs.finance.wacc_ground),
            vehicle=replace(inputs.vehicle, price_usd_per_kg=launch_usd_per_kg),
            delivered_fraction=1.0,
        )
    )


def test_where_a_lower_launch_price_closes_it_the_launch_price_binds(inputs: CostInputs) -> None:
    answer = cheap(inputs, 2000.0).break_even()
    assert 0 < answer.price_usd_per_kg < 2000
    assert (answer.binding_term, answer.status) == ("launch price", "closes")
    assert answer.sentence.startswith("the launch price binds: it must fall from 2,000 to ")


def test_where_orbit_already_wins_nothing_binds(inputs: CostInputs) -> None:
    answer = cheap(inputs, 1.0).break_even()
    assert (answer.binding_term, answer.binding_usd_per_gpu_h, answer.status) == ("nothing", 0.0, "closes")


def test_a_sheet_made_by_hand_names_its_dearest_line(inputs: CostInputs) -> None:
    sheet = replace(price_design(inputs), relieved=())
    assert sheet.counterfactuals()[0].term == "accelerators"


def test_the_ground_keeps_its_servers_as_long_as_satellites_live(inputs: CostInputs) -> None:
    sheet = price_design(replace(inputs, life_years=10.0))
    servers = next(line for line in sheet.ground if line.name == "accelerators")
    assert servers.life_years == 10.0
    assert any(
        "not for 5: hours of accelerators of the same ages are compared" in note for note in sheet.notes
    )


def test_the_ground_does_not_replace_its_servers_as_soon_as_a_short_lived_satellite(
    inputs: CostInputs,
) -> None:
    sheet = price_design(replace(inputs, life_years=1.0))
    assert next(line for line in sheet.ground if line.name == "accelerators").life_years == 5.0
    assert sheet.break_even().binding_term == "short life"


def test_a_fleet_kept_whole_costs_what_renewal_theory_says(inputs: CostInputs) -> None:
    hazards = OrbitReliability(0.0, 0.1, replacement="replenish")
    sheet = price_design(
        replace(inputs, reliability=hazards, vehicle=replace(inputs.vehicle, success_rate=1.0))
    )
    placed = [item for item in sheet.orbit if item.family in ("launch", "build", "compute")]
    paid = sum(
        item.levelized_usd_per_year for item in sheet.orbit if item in placed or item.name == "replenishment"
    )
    expected = 0.25 / (1 - math.exp(-0.25 * 5)) * sum(item.capital_usd for item in placed)
    assert paid == pytest.approx(expected, rel=6e-3)


def test_a_kilogram_of_satellite_pays_for_the_flight_that_it_does_not_fill(inputs: CostInputs) -> None:
    (batch,) = inputs.batches
    sheet = price_design(replace(inputs, batches=(replace(batch, payload_to_orbit_kg=60e3),)))
    assert sheet.launch_usd_per_kg_placed == pytest.approx(250 * 67 * 100e3 / (1600 * 2500))


def test_flights_stand_beside_the_vehicle_s_record(inputs: CostInputs) -> None:
    sheet = price_design(replace(inputs, vehicle=replace(inputs.vehicle, flights_per_year=5)))
    assert "placing the fleet within a year takes 40 flights; Starship has flown 5 in its busiest year" in (
        sheet.notes
    )


def test_a_fleet_that_needs_more_propellant_than_the_world_makes_says_so(inputs: CostInputs) -> None:
    (batch,) = inputs.batches
    thirsty = replace(batch, bill=replace(batch.bill, propellant_kg=500))
    sheet = price_design(
        replace(inputs, batches=(thirsty,), parts=replace(inputs.parts, propellant_kg_per_year=364e3))
    )
    assert any("needs 800 t of propellant, of which the world makes 364 t" in note for note in sheet.notes)


@given(designs)
@settings(max_examples=50)
def test_the_terms_of_the_gap_add_up_to_it(design: CostInputs) -> None:
    sheet = price_design(design)
    for row in sheet.boundaries():
        difference = row.orbit_usd_per_gpu_h - row.ground_usd_per_gpu_h
        assert sum(sheet.gap(row.boundary).values()) == pytest.approx(difference, rel=1e-9, abs=1e-9)


def test_where_nothing_is_delivered_the_answer_says_so(inputs: CostInputs) -> None:
    answer = price_design(replace(inputs, delivered_fraction=0.0)).break_even()
    assert not answer.closes
    assert answer.status == "nothing is delivered"
    assert answer.binding_term == "light, power and heat"
    assert answer.sentence == "no launch price closes it: no work is delivered"


def test_an_unknown_boundary_is_an_error_that_names_the_right_ones(inputs: CostInputs) -> None:
    with pytest.raises(ValueProblem, match="did you mean 'delivered'"):
        price_design(inputs).total("deliverd")  # type: ignore[arg-type]


def test_a_delivered_fraction_above_one_is_an_error(inputs: CostInputs) -> None:
    with pytest.raises(ValueProblem, match="delivered_fraction"):
        replace(inputs, delivered_fraction=1.1)


def test_a_notebook_shows_boundaries_and_lines(inputs: CostInputs) -> None:
    html = price_design(inputs)._repr_html_()
    assert "launch and build" in html
    assert "solar array" in html
