"""Is it converging, has it collapsed, who is winning: what is measured of a run, and what follows from it.

`vital_signs` measures, `diagnosis` judges by the `illnesses` and their `signs`, `remedies` says what to try;
`callbacks.Doctor` brings them to a run.
"""

from keras_gans.doctor.diagnosis import diagnose
from keras_gans.doctor.illnesses import not_finite
from keras_gans.doctor.verdict import HEALTHY, UNCLEAR, Patient, Verdict
from keras_gans.doctor.vital_signs import Reference, VitalSigns, separation

__all__ = [
    "HEALTHY",
    "UNCLEAR",
    "Patient",
    "Reference",
    "Verdict",
    "VitalSigns",
    "diagnose",
    "not_finite",
    "separation",
]
