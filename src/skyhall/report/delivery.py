"""From installed to delivered GPU-hours: the factors whose product divides the price of an installed one."""

from __future__ import annotations

from skyhall.chain import Assessment
from skyhall.costing import cost_inputs
from skyhall.report.formats import percent

__all__ = ["delivered_and_verified"]


def delivered_and_verified(assessment: Assessment) -> str:
    """Return the share of the installed GPU-hours that is delivered and verified, and its factors, in words."""
    delivered = assessment.flight.delivered
    inputs = cost_inputs(assessment.fleet, delivered.share, delivered.upsets_per_accelerator_day)
    costs = assessment.costs
    share = costs.delivered_gpu_h_per_year / costs.installed_gpu_h_per_year
    return (
        f"{percent(share)} of the installed GPU-hours are delivered and verified: "
        f"light, power and heat {percent(inputs.delivered_fraction)} × survival {percent(inputs.surviving)} × "
        f"verified {percent(inputs.reliability.verified_share)}"
    )
