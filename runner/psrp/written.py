"""Values whose CLIXML text is ours, where psrpcore 0.3.1 writes a wrong one (remoting.md 9.5).

psrpcore picks the element of a value by its class, and the text by rules that fail for some values: whole seconds of
10, 20, 30, 40 and 50 lose their zero, years before 1000 their padding, NaN its case, small and large decimals come
with an exponent, which .NET does not read. The classes here are text to psrpcore, written as it stands; their tags end
in a blank, so that psrpcore tells them from its own (which it keeps for reading). To XML ``<TS >`` is ``<TS>``.
"""

from __future__ import annotations

from psrpcore.types import PSString, PSType


@PSType(["System.TimeSpan", "System.ValueType"], rehydrate=False, tag="TS ")
class WrittenDuration(PSString):
    """A TimeSpan as XML duration."""


@PSType(["System.DateTime", "System.ValueType"], rehydrate=False, tag="DT ")
class WrittenDateTime(PSString):
    """A DateTime: ``Z`` at its end makes it Utc, no zone Unspecified."""


@PSType(["System.Decimal", "System.ValueType"], rehydrate=False, tag="D ")
class WrittenDecimal(PSString):
    """A Decimal in digits."""


@PSType(["System.Double", "System.ValueType"], rehydrate=False, tag="Db ")
class WrittenDouble(PSString):
    """A Double: ``NaN``."""
