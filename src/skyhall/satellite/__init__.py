"""The satellite: solar array, battery, heat and sizing.

Takes numbers about hardware, the light of a year and the work wanted; gives a sized satellite (`sizing.size`,
`design.SatelliteDesign`) and the formulas by which the twin steps array (`solar_array`), battery (`battery`) and heat
(`heat`). Leaves out radiation dose, orbit determination and attitude dynamics.
"""
