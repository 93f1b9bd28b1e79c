"""All that a connector keeps, as functions of a :class:`~cadran.testing.contract.rig.Rig`; importing this registers them in order."""

from cadran.testing.contract.checks import settings as settings  # isort: skip
from cadran.testing.contract.checks import access as access  # isort: skip
from cadran.testing.contract.checks import tables as tables  # isort: skip
from cadran.testing.contract.checks import queries as queries  # isort: skip
from cadran.testing.contract.checks import changes as changes  # isort: skip
from cadran.testing.contract.checks import fields as fields  # isort: skip
from cadran.testing.contract.checks import faults as faults  # isort: skip
from cadran.testing.contract.checks import limits as limits  # isort: skip
from cadran.testing.contract.checks import copies as copies  # isort: skip
