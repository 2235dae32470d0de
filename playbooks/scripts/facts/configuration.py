"""The settings of one file of `key = value` lines: one object a setting, none where there is no such file."""

import json
from pathlib import Path

file = Path.home() / $Using:inputs.config_file
if file.exists():
    for line in file.read_text(encoding="utf-8").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.lstrip().startswith("#"):
            print(json.dumps({"setting": key.strip(), "value": value.strip()}))
