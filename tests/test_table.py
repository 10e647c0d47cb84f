"""Every cell of the table in stages.py, tested as it stands: the faults too."""

import pytest

from properties import CHECKS, Fault, subject_of
from stages import PROPERTIES, STAGES

CELLS = [pytest.param(stage, name, id=f"{stage.name}-{name}")
         for stage in STAGES.values() for name in PROPERTIES]


@pytest.mark.parametrize(("stage", "name"), CELLS)
def test_stage_is_what_the_table_says(stage, name):
    if name in stage.faults:
        with pytest.raises(Fault, match=stage.faults[name]):
            CHECKS[name](subject_of(stage, patience=2))
    else:
        CHECKS[name](subject_of(stage))
