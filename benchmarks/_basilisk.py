"""A constellation in Basilisk: for each satellite an orbit, eclipse, panel, sink, battery and panel temperature.

Written from Basilisk's documentation of the modules `spacecraft`, `eclipse`, `simpleSolarPanel`, `simplePowerSink`,
`simpleBattery` and `sensorThermal`. The Sun stands still and gravity is that
of a point: less work than usual, in its favour.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from Basilisk.architecture import messaging
    from Basilisk.simulation import (
        eclipse,
        sensorThermal,
        simpleBattery,
        simplePowerSink,
        simpleSolarPanel,
        spacecraft,
    )
    from Basilisk.utilities import SimulationBaseClass, macros, simIncludeGravBody

from skyhall.constants import ASTRONOMICAL_UNIT, EARTH_GM, EARTH_RADIUS

ALTITUDE = 550e3  # m
INCLINATION = np.radians(53.0)
PLANE = 20  # satellites


class Constellation:
    """Satellites at 550 km and 53 degrees, stepped together."""

    def __init__(self, satellites: int, step: float) -> None:
        self.step_ns = macros.sec2nano(step)
        self.stop = 0
        self.simulation = SimulationBaseClass.SimBaseClass()
        self.simulation.CreateNewProcess("process").addTask(
            self.simulation.CreateNewTask("task", self.step_ns)
        )
        # Messages and modules must outlive the simulation that points at them.
        self.kept: list[Any] = []
        self.sun = self._planet("sun", ASTRONOMICAL_UNIT * np.array([0.6, 0.73, 0.3272]))
        self.gravity = simIncludeGravBody.gravBodyFactory()
        self.gravity.createEarth().isCentralBody = True
        crafts = [self._craft(index, satellites) for index in range(satellites)]
        self.shadow = eclipse.Eclipse()
        self.shadow.sunInMsg.subscribeTo(self.sun)
        self.shadow.addPlanetToModel(self._planet("earth", np.zeros(3)))
        for craft in crafts:
            self.shadow.addSpacecraftToModel(craft.scStateOutMsg)
        self.simulation.AddModelToTask("task", self.shadow)
        self.batteries = [
            self._power(craft, light) for craft, light in zip(crafts, self.shadow.eclipseOutMsgs, strict=True)
        ]
        self.simulation.InitializeSimulation()

    def fly(self, steps: int) -> None:
        """Step on by `steps` steps."""
        self.stop += steps * self.step_ns
        self.simulation.ConfigureStopTime(self.stop)
        self.simulation.ExecuteSimulation()

    def _planet(self, name: str, position: np.ndarray) -> Any:
        payload = messaging.SpicePlanetStateMsgPayload()
        payload.PlanetName, payload.PositionVector = name, position.tolist()
        payload.J20002Pfix = np.eye(3).tolist()
        message = messaging.SpicePlanetStateMsg().write(payload)
        self.kept += [payload, message]
        return message

    def _craft(self, index: int, satellites: int) -> Any:
        craft = spacecraft.Spacecraft()
        craft.ModelTag = f"craft{index}"
        radius = EARTH_RADIUS + ALTITUDE
        planes = max(1, satellites // PLANE)
        node, latitude = 2.0 * np.pi * np.array([(index % planes) / planes, (index // planes) / PLANE])
        toward = np.array([np.cos(node), np.sin(node), 0.0])
        beside = np.array(
            [
                -np.sin(node) * np.cos(INCLINATION),
                np.cos(node) * np.cos(INCLINATION),
                np.sin(INCLINATION),
            ]
        )
        radial = np.cos(latitude) * toward + np.sin(latitude) * beside
        along = np.cos(latitude) * beside - np.sin(latitude) * toward
        craft.hub.mHub = 500.0
        craft.hub.IHubPntBc_B = np.diag([100.0, 100.0, 100.0]).tolist()
        craft.hub.r_CN_NInit = (radius * radial).tolist()
        craft.hub.v_CN_NInit = (np.sqrt(EARTH_GM / radius) * along).tolist()
        self.gravity.addBodiesTo(craft)
        self.simulation.AddModelToTask("task", craft)
        self.kept.append(craft)
        return craft

    def _power(self, craft: Any, light: Any) -> Any:
        panel = simpleSolarPanel.SimpleSolarPanel()
        panel.stateInMsg.subscribeTo(craft.scStateOutMsg)
        panel.sunInMsg.subscribeTo(self.sun)
        panel.sunEclipseInMsg.subscribeTo(light)
        panel.setPanelParameters([1.0, 0.0, 0.0], 10.0, 0.3)  # m², efficiency
        sink = simplePowerSink.SimplePowerSink()
        sink.nodePowerOut = -1000.0  # W
        battery = simpleBattery.SimpleBattery()
        battery.storageCapacity = battery.storedCharge_Init = 3.6e7  # J
        battery.addPowerNodeToModel(panel.nodePowerOutMsg)
        battery.addPowerNodeToModel(sink.nodePowerOutMsg)
        heat = sensorThermal.SensorThermal()
        heat.stateInMsg.subscribeTo(craft.scStateOutMsg)
        heat.sunInMsg.subscribeTo(self.sun)
        heat.sunEclipseInMsg.subscribeTo(light)
        heat.T_0, heat.nHat_B = 20.0, [1.0, 0.0, 0.0]  # degrees Celsius
        heat.sensorArea, heat.sensorAbsorptivity, heat.sensorEmissivity = 10.0, 0.9, 0.85
        heat.sensorMass, heat.sensorSpecificHeat, heat.sensorPowerDraw = 20.0, 900.0, 0.0
        for module in (panel, sink, battery, heat):
            self.simulation.AddModelToTask("task", module)
        self.kept += [panel, sink, heat]
        return battery
