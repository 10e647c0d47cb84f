"""The check of each question that a server is asked: a function of a Subject.

It returns if the server is as the question says, and raises Fault, with the evidence, if it is not.
Whatever it started has ended then.
"""

from tests.spec import answers, clients, concurrency, lessons, manners, steps, wsgi
from tests.spec.stages import ASKED_STEPS, FOR_APPLICATIONS, LESSONS, MANNERS, PROPERTIES

MODULES = [answers, clients, concurrency, wsgi, lessons, manners]
NAMES = {**PROPERTIES, **FOR_APPLICATIONS, **LESSONS, **MANNERS}
CHECKS = {name: getattr(module, name) for name in NAMES
          for module in MODULES if getattr(module, name, None)}
CHECKS |= {name: steps.keeps(name.removeprefix("step_")) for name in ASKED_STEPS}
