"""Codes of the area ``inventory``."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {
    "inventory-not-found": CodePage(
        "a path given with `-i` does not exist",
        "A path is a file, a folder of inventories or an executable. Names without a file are a list with a comma.",
        "runner run site.yml -i inventory.yml",
        "runner run site.yml -i inventories/lab.yml\nrunner run site.yml -i web1,web2,",
    ),
    "inventory-form": CodePage(
        "an inventory is in a form that is not read",
        "The native YAML, Ansible's YAML and INI, its `--list` JSON, executables that print it, and text files with a "
        "name a line are read. `ansible-inventory --list` turns every other form into JSON.",
        "runner inventory list -i hosts.toml",
        "ansible-inventory -i hosts.toml --list > inventory.json\nrunner inventory list -i inventory.json",
    ),
    "inventory-plugin": CodePage(
        "a file configures one of Ansible's inventory plugins",
        "Such a file names no hosts: the plugin asks a service for them. Ansible itself can run it and print the hosts.",
        "plugin: amazon.aws.aws_ec2\nregions: [eu-west-1]",
        "ansible-inventory -i aws_ec2.yml --list > inventory.json",
    ),
    "inventory-shape": CodePage(
        "a part of an Ansible inventory has a type it cannot have",
        "Groups are mappings with `hosts`, `children` and `vars`, and each of these is a mapping; in `--list` JSON "
        "`hosts` and `children` are lists of names.",
        "web:\n  hosts:\n    - web1",
        "web:\n  hosts:\n    web1:",
    ),
    "unknown-inventory-key": CodePage(
        "a group of an Ansible inventory has a key that means nothing there",
        "Ansible passes such keys over with a warning, and so does the runner. Often a group stands beside `children` "
        "instead of below it.",
        "all:\n  web:\n    hosts: {web1: }",
        "all:\n  children:\n    web:\n      hosts: {web1: }",
    ),
    "inventory-script-failed": CodePage(
        "an inventory executable could not be started or ended with an error",
        "A program is run with `--list`. Its exit code must be 0; the last lines it wrote to standard error are shown.",
    ),
    "inventory-script-timeout": CodePage(
        "an inventory executable did not end in time",
        "Each call has 60 seconds; then the program and what it started are ended.",
    ),
    "inventory-script-output": CodePage(
        "an inventory executable printed something else than a JSON object",
        "Standard output must hold one JSON object and nothing else; logs belong to standard error.",
    ),
    "ini-syntax": CodePage(
        "a line of an INI inventory cannot be read",
        "A line is a host with variables (`web1 weight=2`), a section (`[web]`, `[web:children]`, `[web:vars]`), the "
        "name of a group in `:children`, or `name=value` in `:vars`. `#` and `;` begin comments.",
        "[web]\nweb1 web2",
        "[web]\nweb1\nweb2",
    ),
    "host-range": CodePage(
        "a range in a name cannot be read, or stands for too many names",
        "A range is `[first:last]` or `[first:last:step]`, numbers or single letters, both ends included. Zeros before "
        "`first` pad all numbers. One entry may stand for a million names.",
        "web[1-20]",
        "web[1:20]",
    ),
    "unknown-group": CodePage(
        "a group is named that is not declared",
        "A group that holds others, or has variables, must name groups that are there, so that a typing error does not "
        "leave hosts out in silence. A group without hosts may be declared empty.",
        "[prod:children]\nwbe\n\n[web]\nweb1",
        "[prod:children]\nweb\n\n[web]\nweb1",
    ),
    "group-cycle": CodePage(
        "groups contain each other",
        "A group cannot be below itself, and `all` is above every group.",
        "[a:children]\nb\n\n[b:children]\na",
        "[a:children]\nb\n\n[b]\nweb1",
    ),
    "host-and-group": CodePage(
        "a host and a group have the same name",
        "In a pattern the name means the host alone, as in Ansible, which is seldom what is wanted.",
        "[web]\nweb",
        "[webservers]\nweb",
    ),
    "vaulted-file": CodePage(
        "a file is encrypted with Ansible Vault, which is not read yet",
        "Nobody can know which variables such a file would change, so the inventory is refused. Secrets that a "
        "playbook needs are named under `credentials:` or given as inputs.",
        "$ANSIBLE_VAULT;1.1;AES256\n3061...",
        "credentials:\n  ops: {username: ops, password: {env: OPS_PASSWORD}}",
    ),
    "vaulted-value": CodePage(
        "a variable is encrypted with Ansible Vault, which is not read yet",
        "The name is known, the value is not: the inventory loads with a warning, and using the variable is an error.",
        "db_password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  3061...",
        "inputs:\n  db_password: {type: string, secret: true}",
    ),
    "plain-text-secret": CodePage(
        "an inventory holds a secret in plain text",
        "`ansible_password` and its kin are used as Ansible uses them, and masked wherever they would be shown, but "
        "everyone who can read the file can read them.",
        "web1 ansible_password=hunter2",
        "credentials:\n  ops: {username: ops, password: {env: OPS_PASSWORD}}",
    ),
    "ssh-arguments": CodePage(
        "arguments for ssh in an inventory cannot be read",
        "`ansible_ssh_common_args` and its kin are split as a shell would; a quote is not closed.",
        "web1 ansible_ssh_common_args='-o ProxyCommand=\"ssh -W %h:%p bastion'",
        "web1 ansible_ssh_common_args='-J bastion'",
    ),
    "ssh-argument-ignored": CodePage(
        "an argument for ssh in an inventory has no meaning here",
        "The program `ssh` is not run; its options (`-o`, `-J`, `-p`, `-l`, `-i`, `-C`) are understood, the rest is not.",
        "web1 ansible_ssh_common_args='-L 8080:localhost:80'",
        "web1 ansible_ssh_common_args='-J bastion'",
    ),
    "winrm-variable-ignored": CodePage(
        "a variable for Ansible's `winrm` or `psrp` in an inventory has no meaning here",
        "It says whom to trust, which proxy to use or whether to delegate, and would be missed in silence. The hint says"
        " what stands in its place; the run goes on without it.",
        "win1 ansible_winrm_ca_trust_path=/etc/ssl/own.pem",
        "export SSL_CERT_FILE=/etc/ssl/own.pem",
    ),
    "unknown-host": CodePage(
        "a pattern names what is neither a host nor a group",
        "Also after `!`: a typing error in an exclusion would run on the very hosts that were to be left out. A group "
        "without hosts is no error.",
        "hosts: wbe",
        "hosts: web",
    ),
    "pattern-matches-nothing": CodePage(
        "a glob or a regular expression matches no host and no group",
        "Globs match whole names; a regular expression matches from the beginning of a name.",
        'hosts: "web?"',
        'hosts: "web*"',
    ),
    "pattern-syntax": CodePage(
        "a host pattern cannot be read",
        "Terms are separated by commas or colons: `web:&prod:!canary`. `~` begins a regular expression, `@` names a "
        "file with a name a line. Every bracket must be closed.",
        'hosts: "~web(1|2"',
        'hosts: "~web(1|2)"',
    ),
    "subscript-out-of-range": CodePage(
        "a group has no host at the place asked for",
        "`web[0]` is the first host of the group, `web[-1]` the last, `web[1:3]` the second to the fourth.",
        'hosts: "web[20]"',
        'hosts: "web[19]"',
    ),
}
