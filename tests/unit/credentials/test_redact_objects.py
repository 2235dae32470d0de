"""Values of PowerShell stay what they are where secrets are masked in them."""

from __future__ import annotations

from collections import OrderedDict

from runner.credentials.redact import Redactor
from runner.objects import EnumValue, PSObject


def test_objects_keep_their_kind() -> None:
    """Types, the order of a dictionary and the number of an enum value stay; text and properties are masked."""
    redactor = Redactor()
    redactor.add("hunter2")
    value = PSObject(
        {"Word": "hunter2", "Day": EnumValue("Friday", 5), "Sorted": OrderedDict(b="hunter2", a=1)},
        type_names=("My.Type",),
        text="it is hunter2",
    )

    masked = redactor.mask_value([value])[0]

    assert (type(masked), masked.type_names, masked.text) == (PSObject, ("My.Type",), "it is ********")
    assert masked == {"Word": "********", "Day": "Friday", "Sorted": {"b": "********", "a": 1}}
    assert masked["Day"].number == 5
    assert type(masked["Sorted"]) is OrderedDict
    assert value["Word"] == "hunter2"
