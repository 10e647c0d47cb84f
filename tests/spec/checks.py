"""The check of each question that a server is asked: a function of a Subject.

It returns if the server is as the question says, and raises Fault, with the evidence, if it is not.
Whatever it started has ended then.
"""

from tests.spec import answers, clients, concurrency, lessons, manners, wsgi
from tests.spec.stages import LESSONS, MANNERS, PROPERTIES

MODULES = [answers, clients, concurrency, wsgi, lessons, manners]
CHECKS = {name: getattr(module, name) for name in {**PROPERTIES, **LESSONS, **MANNERS}
          for module in MODULES if getattr(module, name, None)}
