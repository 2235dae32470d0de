"""Codes of the area ``transport``: reaching a host, logging in, starting a command there, and losing the link."""

from __future__ import annotations

from runner.codes.page import CodePage

_NOTHING_RAN = "Nothing was run on the host; its status is `unreachable`, and the other hosts go on."

_REACHING: dict[str, CodePage] = {
    "name-not-resolved": CodePage(
        "The host's name has no address",
        "The controller's resolver does not know the name. `address:` in the inventory, or `Hostname` in "
        f"`~/.ssh/config`, says what to connect to where the host's name is no DNS name. {_NOTHING_RAN}",
        "hosts:\n  web01: {}",
        "hosts:\n  web01: {address: 10.0.0.21}",
    ),
    "connection-refused": CodePage(
        "The host answers, but nothing listens on the port",
        f"Either sshd does not run, or it listens on another port. {_NOTHING_RAN}",
        "connection: {transport: ssh}",
        "connection: {transport: ssh, port: 2222}",
    ),
    "connect-timeout": CodePage(
        "Connecting took longer than `connect_timeout`",
        "The time covers looking up the name, TCP, the handshake and the login; waiting for a place among the "
        "connections that are being opened is not in it, and a jump host has time of its own. The message says how far "
        f"it came: no answer at all is mostly a firewall or a host that is down, a silent server one that hangs. "
        f"{_NOTHING_RAN}",
        "connection: {connect_timeout: 2s}",
        "connection: {connect_timeout: 30s}",
    ),
    "network-unreachable": CodePage(
        "The controller has no route to the host's network",
        f"The operating system says so at once. A VPN that is not up is the usual reason. {_NOTHING_RAN}",
    ),
    "too-many-open-files": CodePage(
        "The runner may not open more files, and a connection is one",
        "A connection is kept from a host's first step to its last. The runner raises the soft limit of open files to "
        f"the hard one when a run begins; the hard one is raised by whoever administrates this machine. {_NOTHING_RAN}",
        "ulimit -n 256; runner run patch.yml -i prod.yml",
        "ulimit -n 65536; runner run patch.yml -i prod.yml",
    ),
    "connection-dropped": CodePage(
        "The server closed the connection before the login was over",
        "sshd does so when too many logins come at once (MaxStartups), when the address is blocked, or when it cannot "
        f"start. The reason stands in its log on the host. {_NOTHING_RAN}",
    ),
    "no-common-algorithm": CodePage(
        "The host and the runner have no way of encrypting in common",
        "An old server offers only algorithms that are off by default, or what listens there is not SSH 2. An "
        f"algorithm can be allowed for the hosts that need it. {_NOTHING_RAN}",
        "connection: {transport: ssh}",
        "connection: {transport: ssh, options: {KexAlgorithms: +diffie-hellman-group14-sha1}}",
    ),
    "ssh-protocol-error": CodePage(
        "The server broke off the conversation",
        f"The message has the reason that the server gave. {_NOTHING_RAN}",
    ),
    "ssh-config-invalid": CodePage(
        "An ssh option or an ssh configuration file cannot be used",
        "The message names the file and the line, or `options`. Words that the runner does not follow are refused in "
        f"`options`, so that nothing is silently ignored. {_NOTHING_RAN}",
        "connection: {options: {Port: ssh}}",
        "connection: {port: 22}",
    ),
    "ssh-option-invalid": CodePage(
        "The value of an ssh option is not one that is understood",
        f"Mostly the name of an algorithm that does not exist or is not offered. {_NOTHING_RAN}",
        "connection: {options: {Ciphers: rot13}}",
        "connection: {options: {Ciphers: aes256-gcm@openssh.com}}",
    ),
}

_HOST_KEYS: dict[str, CodePage] = {
    "host-key-unknown": CodePage(
        "The host's key is in no `known_hosts` file",
        "Host keys are checked strictly, since a password or an agent given to the wrong host is lost. Add the key "
        "once, after comparing its fingerprint with one from a trusted source, or let each host's first key be remembered "
        f"(`accept_new`). {_NOTHING_RAN}",
        "connection: {transport: ssh}",
        "connection: {transport: ssh, host_key_checking: accept_new}",
    ),
    "host-key-changed": CodePage(
        "The host shows another key than the one in `known_hosts`",
        "The host was set up anew, its address was given to another host, or somebody stands in between. It is refused "
        "with `accept_new` too. Where the change is known to be right, `ssh-keygen -R NAME` removes the old key. "
        f"{_NOTHING_RAN}",
    ),
    "host-key-revoked": CodePage(
        "The host shows a key that `known_hosts` marks as `@revoked`",
        f"A revoked key may be in other hands, so it is refused however keys are checked but `off`. {_NOTHING_RAN}",
    ),
    "host-certificate-refused": CodePage(
        "The host's certificate is signed by a known authority but is not valid",
        "It has run out, is not valid yet, or is made out to other names. The name that counts is `Hostname`, or "
        f"`HostKeyAlias` where that is set. {_NOTHING_RAN}",
    ),
    "known-hosts-unwritable": CodePage(
        "A new host key cannot be remembered",
        "With `host_key_checking: accept_new` the key must be kept, or each run would trust whatever answers. "
        f"{_NOTHING_RAN}",
        "connection: {host_key_checking: accept_new, known_hosts: /etc/ssh/ssh_known_hosts}",
        "connection: {host_key_checking: accept_new, known_hosts: ~/.ssh/known_hosts}",
    ),
}

_LOGGING_IN: dict[str, CodePage] = {
    "login-refused": CodePage(
        "The host accepts none of the keys and passwords that were offered",
        "The message says what was offered, in this order: the credential's key, the keys that are named, the agent's, "
        "the default keys, the password. A credential with a key or a password of its own keeps the agent and the "
        f"default keys out. {_NOTHING_RAN}",
        "connection: {transport: ssh, user_name: root}",
        "connection: {transport: ssh, user_name: ops, key_file_path: ~/.ssh/fleet}",
    ),
    "too-many-logins": CodePage(
        "The server gave up after too many keys",
        "sshd ends a login after MaxAuthTries keys (6 by default). An agent with many keys uses them up before the "
        f"right one comes. {_NOTHING_RAN}",
        "connection: {transport: ssh}",
        "connection: {transport: ssh, key_file_path: ~/.ssh/fleet, options: {IdentitiesOnly: 'yes'}}",
    ),
    "key-unreadable": CodePage(
        "A private key that is named cannot be read or is none",
        "The file is missing, may not be read, or holds something else: a public key, a PuTTY key (`puttygen KEY -O "
        f"private-openssh` converts it), half a key. {_NOTHING_RAN}",
        "connection: {key_file_path: ~/.ssh/id_ed25519.pub}",
        "connection: {key_file_path: ~/.ssh/id_ed25519}",
    ),
    "passphrase-missing": CodePage(
        "A private key is encrypted, and neither a passphrase nor the agent opens it",
        f"A run does not ask for passphrases. Give the credential one, or load the key into the agent. {_NOTHING_RAN}",
        "credentials:\n  ops: {username: ops, private_key: {file: ~/.ssh/id_ed25519}}",
        "credentials:\n  ops: {username: ops, private_key: {file: ~/.ssh/id_ed25519}, passphrase: {env: PASSPHRASE}}",
    ),
    "passphrase-wrong": CodePage(
        "The passphrase does not open the private key",
        f"Test it alone with `ssh-keygen -y -f KEY`. {_NOTHING_RAN}",
    ),
    "agent-unreachable": CodePage(
        "A credential asks for the ssh agent, and none answers",
        "`SSH_AUTH_SOCK` is not set, or what it names is gone; cron and CI jobs have no agent of their own. "
        f"{_NOTHING_RAN}",
        "credentials:\n  ops: {username: ops, agent: true}",
        "credentials:\n  ops: {username: ops, private_key: {env: DEPLOY_KEY}}",
    ),
}

_JUMPING: dict[str, CodePage] = {
    "jump-unreachable": CodePage(
        "A host's jump host cannot be connected to",
        f"The message goes on with the jump host's own error. {_NOTHING_RAN}",
    ),
    "jump-refused": CodePage(
        "The jump host does not forward connections",
        f"Its sshd_config has `AllowTcpForwarding no`, or a PermitOpen without the host. {_NOTHING_RAN}",
    ),
    "unreachable-from-jump": CodePage(
        "The jump host cannot connect to the host",
        "The name is resolved and the route is taken on the jump host, so its resolver and firewall count. "
        f"{_NOTHING_RAN}",
        "hosts:\n  web01: {connection: {jump: [bastion]}}",
        "hosts:\n  web01: {address: 10.0.0.21, connection: {jump: [bastion]}}",
    ),
    "jump-loop": CodePage(
        "A jump host is to be reached through itself",
        "Mostly a group or a `Host *` gives all hosts the same jump host, the jump host included. "
        f"{_NOTHING_RAN}",
        "connection: {jump: [bastion]}\nhosts:\n  bastion: {}",
        "connection: {jump: [bastion]}\nhosts:\n  bastion: {connection: {jump: []}}",
    ),
}

_RUNNING: dict[str, CodePage] = {
    "connection-lost": CodePage(
        "The link to the host broke",
        "The host went down, restarted or lost its network, or it answered no keepalive for a minute. The message says "
        "whether the command may have run.",
    ),
    "connection-closed": CodePage(
        "Something was to be started over a connection that is closed already",
        "The run was ending. Nothing was run.",
    ),
    "open-timeout": CodePage(
        "A host that let the runner in does not start a command",
        "It is given as long as `deadlines: {open: ...}` or `open_timeout` say, else as long as for connecting. Hosts out of memory or processes do so, and a home directory on a "
        "server that hangs. The connection is given up; the message says whether the command may have run.",
    ),
    "channel-refused": CodePage(
        "The host lets the user in but refuses to run a command",
        "sshd's MaxSessions is used up by others on the same connection, or the account may only forward or use sftp "
        "(ForceCommand, `restrict` in authorized_keys). Nothing was run.",
    ),
    "no-exit-status": CodePage(
        "The host closed a command's channel without saying how it ended",
        "sshd's own process for the command was killed, or the server is none of OpenSSH's kin. The command may "
        "have run.",
    ),
    "program-missing": CodePage(
        "The program does not exist on the controller or may not be executed",
        "A step on `local` starts its interpreter directly. Nothing was run.",
        "steps:\n  - shell: python\n    interpreter: /opt/python/bin/python",
        "steps:\n  - shell: python\n    interpreter: python3",
    ),
    "process-refused": CodePage(
        "The controller cannot start another process",
        "Its limits of processes, memory or open files are used up; a smaller `throttle` needs fewer. Nothing was run.",
    ),
}

CODES: dict[str, CodePage] = {**_REACHING, **_HOST_KEYS, **_LOGGING_IN, **_JUMPING, **_RUNNING}
