"""Codes of the area ``document``: files, YAML, and what YAML makes of texts that people write."""

from __future__ import annotations

from runner.codes.page import CodePage

_FILES: dict[str, CodePage] = {
    "file-not-found": CodePage(
        "A file that is named does not exist",
        "The name is read relative to the file that names it, on the command line relative to the current folder.",
    ),
    "not-a-file": CodePage(
        "A folder stands where a file is needed",
        "Name a file in the folder.",
    ),
    "file-unreadable": CodePage(
        "A file is there and cannot be read",
        "The message has the reason of the operating system: missing rights, most often.",
    ),
    "file-too-large": CodePage(
        "A file is larger than what is read of its kind",
        "A playbook has at most 4 MiB and an inventory 64 MiB; larger ones are nearly always another file by mistake.",
    ),
    "not-utf-8": CodePage(
        "A file is not UTF-8 text",
        "The position is that of the first byte that is not UTF-8. Save the file as UTF-8, with or without a byte "
        "order mark. Windows editors often call their older encodings ANSI or Windows-1252.",
    ),
    "nul-byte": CodePage(
        "A text file holds a NUL byte",
        "A NUL byte is a sign of a binary file, of UTF-16, or of a damaged disk; no YAML may hold one.",
    ),
    "control-character": CodePage(
        "A character stands in the file that YAML forbids",
        "Most control characters are forbidden in YAML, and so are characters that some programs take for line breaks "
        "and others do not (U+0085, U+2028, U+2029). Inside double quotes an escape such as `\\x1b` writes them.",
    ),
    "empty-document": CodePage(
        "A file holds nothing but blanks and comments",
        "A playbook needs at least `version` and `steps`.",
        "# nothing yet\n",
        "version: 1\nsteps: []\n",
    ),
    "several-documents": CodePage(
        "A second YAML document begins in the file",
        "A line `---` begins a new document. One file holds one; a `---` at its very beginning is fine.",
        "version: 1\n---\nversion: 1\n",
        "---\nversion: 1\n",
    ),
    "too-many-problems": CodePage(
        "A file has so many problems that it was not read to its end",
        "After 1,000 problems in its YAML a file is left alone: it is probably not the file that was meant.",
    ),
    "too-deep": CodePage(
        "Lists and mappings stand too deep inside each other",
        "The limit is 200 levels, aliases followed. A file that goes deeper is damaged or made to exhaust a reader.",
    ),
}

_KEYS: dict[str, CodePage] = {
    "duplicate-key": CodePage(
        "A key stands twice in the same mapping",
        "YAML forbids it, and readers that allow it silently keep one of the values. In Ansible's own files it is a "
        "warning and the last one counts, as Ansible has it.",
        "vars:\n  site: north\n  site: south\n",
        "vars:\n  site: south\n",
    ),
    "complex-key": CodePage(
        "A list or a mapping is used as a key",
        "Keys are texts.",
        "? [a, b]\n: c\n",
        '"[a, b]": c\n',
    ),
    "empty-key": CodePage(
        "A colon has no key before it",
        "Write the key, or remove the line.",
        "vars:\n  : north\n",
        "vars:\n  site: north\n",
    ),
    "missing-blank": CodePage(
        "A colon has no blank after it, so it makes no key",
        "In YAML `key:value` is one text; only a colon with a blank or a line's end after it ends a key.",
        "version: 1\nname:fleet\n",
        "version: 1\nname: fleet\n",
    ),
    "merge-conflict": CodePage(
        "Marks of an unfinished merge stand in the file",
        "git writes `<<<<<<<`, `=======` and `>>>>>>>` around two changes of the same lines. Keep what is right, take the "
        "marks out and `git add` the file.",
        "<<<<<<< HEAD\nname: Mine\n=======\nname: Theirs\n>>>>>>> other\n",
        "name: Mine\n",
    ),
    "missing-colon": CodePage(
        "A line that should be a key has no colon",
        "Inside a mapping every line begins a key, or is indented further than the key whose text it goes on with.",
        "version: 1\nname\nsteps: []\n",
        "version: 1\nname: fleet\nsteps: []\n",
    ),
    "colon-in-text": CodePage(
        "A colon and a blank stand inside an unquoted text",
        "They would begin another key. Quotes make the colon part of the text.",
        "name: web: prod\n",
        'name: "web: prod"\n',
    ),
    "smart-quotes": CodePage(
        "Curly quotes stand where straight ones are meant",
        "Word processors and web pages turn quotes into curly ones, which YAML takes for letters. In a key that is an "
        "error, around a value a warning.",
        "“name”: fleet\n",
        '"name": fleet\n',
    ),
    "unseen-character": CodePage(
        "A key holds a character that cannot be seen",
        "No-break spaces and characters without width come with text pasted from web pages; they make another key.",
        "na\u200bme: fleet\n",
        "name: fleet\n",
    ),
    "merge-not-mapping": CodePage(
        "`<<` is given something that is no mapping",
        "`<<: *NAME` takes over the entries of the mapping at `&NAME`; keys written beside it win.",
        "vars:\n  <<: north\n",
        "site: &site {name: north}\nvars:\n  <<: *site\n",
    ),
}

_ANCHORS_AND_TAGS: dict[str, CodePage] = {
    "unknown-anchor": CodePage(
        "An alias names an anchor that is not there",
        "`*name` repeats the value that an earlier `&name` marks. A pattern that begins with a star must be quoted.",
        "hosts: *web\n",
        'hosts: "*web"\n',
    ),
    "recursive-alias": CodePage(
        "An alias stands inside the value it repeats",
        "The value would contain itself without end.",
        "vars: &all\n  more: *all\n",
        "vars: &all\n  more: none\n",
    ),
    "alias-bomb": CodePage(
        "Aliases repeat far more than the file holds",
        "A few lines of aliases of aliases can stand for billions of values. A file may repeat 100,000 values, and "
        "beyond that ten times what it writes out.",
    ),
    "anchor-not-text": CodePage(
        "A text begins with `&`, which begins an anchor in YAML",
        "PowerShell's call operator is the usual case: write the script as a block. A pattern such as `&prod` needs "
        "quotes.",
        "script: & 'C:\\Tools\\collect.exe'\n",
        "script: |\n  & 'C:\\Tools\\collect.exe'\n",
    ),
    "alias-not-text": CodePage(
        "A text begins with `*`, which begins an alias in YAML",
        "A pattern that begins with a star needs quotes.",
        "hosts: *.example.com\n",
        'hosts: "*.example.com"\n',
    ),
    "python-tag": CodePage(
        "A tag asks for a Python object",
        "Such tags run code while a file is read. They are refused everywhere.",
        "name: !!python/name:os.system\n",
        "name: os.system\n",
    ),
    "unknown-tag": CodePage(
        "A text begins with `!`, which begins a tag in YAML",
        "Only the tags of YAML's core schema are known, such as `!!str`; `!vault` and `!unsafe` belong to Ansible's "
        "own files. A pattern that begins with an exclamation mark needs quotes.",
        "hosts: !canary\n",
        'hosts: "!canary"\n',
    ),
    "wrong-tag": CodePage(
        "A tag does not fit its value",
        "`!!int`, `!!float`, `!!bool` and `!!null` check that a value is what they say.",
        "retries: !!int soon\n",
        "retries: !!int 3\n",
    ),
}

_TEXTS: dict[str, CodePage] = {
    "bad-escape": CodePage(
        "A backslash in double quotes begins no escape that YAML knows",
        "Double quotes read backslashes as escapes. Windows paths are best written in single quotes or without any.",
        'file: "C:\\Users\\ops\\run.ps1"\n',
        "file: 'C:\\Users\\ops\\run.ps1'\n",
    ),
    "control-in-text": CodePage(
        "A path or a name holds a control character",
        "In double quotes `\\t` is a tab and `\\n` a line break, so `C:\\temp\\new.ps1` names another file. Single "
        "quotes keep backslashes as they are.",
        'key_file_path: "C:\\temp\\new.ps1"\n',
        "key_file_path: 'C:\\temp\\new.ps1'\n",
    ),
    "text-after-quote": CodePage(
        "Text follows the quotes that begin a value",
        "A value that begins with a quote ends with it. Quote the whole value with the other kind of quotes.",
        "when: 'web' in groups\n",
        "when: \"'web' in groups\"\n",
    ),
    "unclosed-quote": CodePage(
        "A quote is not closed",
        "The text goes on over the following lines up to the next quote, which is often the beginning of another text. "
        "The position is that of the opening quote.",
        'name: "fleet\nsteps: []\n',
        'name: "fleet"\nsteps: []\n',
    ),
    "unquoted-template": CodePage(
        "A text begins with `{{` without quotes",
        "A brace begins a mapping in YAML. Quote the whole text.",
        "message: {{ inputs.window }}\n",
        'message: "{{ inputs.window }}"\n',
    ),
    "reserved-start": CodePage(
        "A text begins with a character that YAML keeps for itself",
        "`@`, the backquote and `%` cannot begin an unquoted text.",
        "hosts: @machines.txt\n",
        'hosts: "@machines.txt"\n',
    ),
    "block-header": CodePage(
        "Text stands on the line of `|` or `>`",
        "They begin a block of text, whose lines follow below and indented. A text that begins with them needs quotes.",
        "when: > 5\n",
        'when: "> 5"\n',
    ),
    "yes-no": CodePage(
        "`yes`, `no`, `on` or `off` stands where true or false is due",
        "In YAML 1.2 these words are texts.",
        "use_ssl: yes\n",
        "use_ssl: true\n",
    ),
    "yes-no-text": CodePage(
        "A variable is the text `yes`, `no`, `on` or `off`",
        "YAML 1.1 read these words as booleans, YAML 1.2 reads them as text, and the text `no` counts as true in a "
        "condition. Write `true` or `false`, or quote the word to say that text is meant.",
        "vars:\n  backup: no\n",
        "vars:\n  backup: false\n",
    ),
    "missing-value": CodePage(
        "Nothing is written where a value is due",
        "A key without a value is null in YAML, and `~` and `null` are too.",
        "hosts:\n",
        "hosts: all\n",
    ),
}

_SCRIPTS: dict[str, CodePage] = {
    "script-folded": CodePage(
        "The lines of a script are folded into one",
        "`>`, quotes and unquoted text join lines with blanks. Only `|` keeps the lines of a script as they are.",
        "script: >\n  cd /tmp\n  ls\n",
        "script: |\n  cd /tmp\n  ls\n",
    ),
    "script-comment": CodePage(
        "YAML cut a comment off the end of a script",
        "In an unquoted text a blank and `#` begin a comment of YAML.",
        "script: echo one #two\n",
        'script: "echo one #two"\n',
    ),
    "script-braces": CodePage(
        "A script stands in braces",
        "Invoke-Command's script blocks have braces, a script here has none. Without quotes braces begin a mapping in "
        "YAML; inside quotes they make a script block that is shown and not run.",
        "script: {Get-Culture}\n",
        "script: Get-Culture\n",
    ),
}

_LAYOUT: dict[str, CodePage] = {
    "tab-indentation": CodePage(
        "A tab indents a line",
        "YAML takes only blanks for indentation.",
        "vars:\n\tsite: north\n",
        "vars:\n  site: north\n",
    ),
    "bad-indentation": CodePage(
        "A line begins in a column that fits nothing above it",
        "The keys of a mapping begin in one column, and so do the dashes of a list.",
        "vars:\n    site: north\n  tier: front\n",
        "vars:\n  site: north\n  tier: front\n",
    ),
    "missing-dash": CodePage(
        "A line stands where the next entry of a list is due",
        "Every entry of a list begins with `- ` in the same column; what belongs to an entry is indented below it.",
        "steps:\n  - id: one\n  script: ls\n",
        "steps:\n  - id: one\n    script: ls\n",
    ),
    "list-on-key-line": CodePage(
        "A list begins on the line of its key",
        "Put the entries on lines of their own, or write the list in brackets.",
        "hosts: - web1\n",
        "hosts: [web1]\n",
    ),
    "unclosed-bracket": CodePage(
        "A bracket is not closed, or a comma is missing in it",
        "A list in `[ ]` and a mapping in `{ }` have commas between their entries.",
        "hosts: [web1, web2\nname: fleet\n",
        "hosts: [web1, web2]\nname: fleet\n",
    ),
    "stray-bracket": CodePage(
        "A bracket or a comma belongs to no list or mapping",
        "Remove it, or quote the text that begins with it.",
        "hosts: web1]\nname: [a]]\n",
        "hosts: web1\nname: [a]\n",
    ),
    "yaml-syntax": CodePage(
        "A line cannot be read as YAML",
        "No better word is known for this mistake. Look at the indentation, the quotes and the brackets of the line "
        "and of the one before it.",
        "name: ? fleet\n",
        'name: "? fleet"\n',
    ),
}

CODES: dict[str, CodePage] = {**_FILES, **_KEYS, **_ANCHORS_AND_TAGS, **_TEXTS, **_SCRIPTS, **_LAYOUT}
