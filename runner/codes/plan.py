"""Codes of planning: who, how, in which order, and what steps read."""

from __future__ import annotations

from runner.codes.page import CodePage

CODES: dict[str, CodePage] = {
    "block-other-hosts": CodePage(
        "a step of a block is on a host that the block does not have",
        "Where a block says `target`, `session` or `hosts`, its hosts are those: each goes through the whole block. A"
        " step on another host would belong to no host's way through it. Where the block says nothing, its hosts are"
        " those of its steps.",
        "{hosts: web, block: [{hosts: db, script: x}]}",
        "{hosts: 'web:db', block: [{hosts: db, script: x}]}",
    ),
    "certificate-expired": CodePage(
        "a client certificate is not valid now",
        "No host takes it, so it is told before 2,000 of them refuse the login. The clock of this controller counts.",
    ),
    "certificate-key": CodePage(
        "the private key of a client certificate is missing or encrypted",
        "A login by certificate proves that it has the private key. The key stands in the certificate's PEM file or"
        " beside it as `NAME.key` or `NAME-key.pem`, without a passphrase; a credential may have one with a passphrase.",
    ),
    "certificate-store": CodePage(
        "a thumbprint is said, and there is no store of certificates to look in",
        "Windows looks a thumbprint up in its own store. Here a store is a folder of PEM files: `--certificates DIR`,"
        " `RUNNER_CERTIFICATES` or `certificates` in runner.toml. A thumbprint is the SHA-1 of the certificate's DER.",
        "runner run patch.yml -i prod.yml",
        "runner run patch.yml -i prod.yml --certificates ~/certificates",
    ),
    "certificate-unusable": CodePage(
        "the X.509 certificate of a credential cannot log in",
        "It is no PEM, has expired, has no private key, or the key is another's or cannot be opened. It is looked at"
        " before anything connects.",
        "ops: {certificate: {file: ops.pem}}",
        "ops: {certificate: {file: ops.pem}, private_key: {file: ops.key}}",
    ),
    "check-skipped": CodePage(
        "a check of the host's certificate is skipped",
        "`skip_ca_check`, `skip_cn_check` and `skip_revocation_check` are convenient while a fault is looked for. With"
        " one of them another machine can answer in the host's place and read what is sent, the password included.",
    ),
    "command-pipeline": CodePage(
        "a list of commands is given to a shell that is not powershell",
        "On powershell a list under `command` is a pipeline of commands. Elsewhere `command` runs one program as argv,"
        " without a shell, so there is nothing that could connect several.",
        "command: [{name: ps}, {name: sort}]",
        "script: ps | sort",
    ),
    "credssp-delegation": CodePage(
        "CredSSP hands the password to the host",
        "It cures the second hop, because the host can log in elsewhere as you. Whoever controls the host can do so too."
        " Kerberos delegation and JEA endpoints with an account of their own need no password on the host.",
    ),
    "delegate-session": CodePage(
        "`delegate_to` goes with a kept session",
        "A kept session lives on the host itself, and the body of a step that is delegated runs elsewhere.",
        "{session: warm, delegate_to: balancer, script: x}",
        "{target: windows, delegate_to: balancer, script: x}",
    ),
    "delegate-without-hosts": CodePage(
        "`delegate_to` names nobody",
        "It takes a target of the playbook, a host or a pattern. For this host none of them has a host, so that there is"
        " nowhere to run. `-l` does not leave out hosts that others delegate to.",
    ),
    "host-name": CodePage(
        "text where a host name is due is none",
        "`ssh_connections` and `jump` take `host`, `user@host` or `user@host:port`; a file of hosts has a name a line.",
        "ssh_connections: ['ssh://web01']",
        "ssh_connections: ['ops@web01:22']",
    ),
    "host-twice": CodePage(
        "one name stands for two different hosts",
        "A host's name is what results, `results.N` and the journal know it by. Two endpoints under one name would mix.",
        "ssh_connections: [{host_name: web, port: 2201}, {host_name: web, port: 2202}]",
        "ssh_connections: [{host_name: web, port: 2201, name: web-a}, {host_name: web, port: 2202, name: web-b}]",
    ),
    "ip-address": CodePage(
        "a WinRM host is named by its IP address, and nothing would prove who answers",
        "Kerberos and certificates prove a host by its name. By address NTLM is left, which proves nothing: Invoke-Command"
        " takes an address with a credential only, and over http only where TrustedHosts lists it.",
        "{hosts: [10.0.0.5], transport: winrm, credential: ops}",
        "{hosts: [10.0.0.5], transport: winrm, credential: ops, use_ssl: true}",
    ),
    "jump-cycle": CodePage(
        "jump hosts need each other to be reached",
        "Following `jump` from host to host comes back to where it began, so none of them can be reached first.",
        "hosts: {a: {connection: {jump: [b]}}, b: {connection: {jump: [a]}}}",
        "hosts: {a: {connection: {jump: [b]}}, b: {connection: {jump: []}}}",
    ),
    "lock-transport": CodePage(
        "`lock: target` is said for the controller",
        "A lock of that kind is a file on the host that other controllers see. For this controller `lock: run` does the"
        " same without one.",
        "{target: local, lock: target, script: x}",
        "{target: local, lock: run, script: x}",
    ),
    "needs-http": CodePage(
        "an option that goes with http is said for https",
        "`no_encryption` gives up the encryption of messages over http. TLS encrypts always, so over https it would say"
        " one thing and do another.",
        "{use_ssl: true, session_option: {no_encryption: true}}",
        "{use_ssl: true}",
    ),
    "needs-https": CodePage(
        "something that goes with https is said for http",
        "The host's certificate is shown while TLS begins. Over http there is none, so no check of it could be skipped.",
        "{hosts: web, transport: winrm, session_option: {skip_ca_check: true}}",
        "{hosts: web, transport: winrm, use_ssl: true, session_option: {skip_ca_check: true}}",
    ),
    "no-assignments": CodePage(
        "no step has a host, so there is nothing to run",
        "Everything was valid, but patterns, `-l` and `-t` together leave nothing. That is more likely a mistake than a"
        " wish, so it is refused instead of reported as success.",
        "runner run patch.yml -i prod.yml -l nosuch",
        "runner run patch.yml -i prod.yml -l web01",
    ),
    "no-script-for-shell": CodePage(
        "a host speaks a shell for which the step has no script",
        "`script: {sh: ..., powershell: ...}` gives a script for each shell. bash runs the script for sh where there is"
        " none of its own; every other shell needs its own.",
        "script: {powershell: Get-Date}",
        "script: {powershell: Get-Date, sh: date}",
    ),
    "not-available-yet": CodePage(
        "the playbook uses a part of the language that this version does not run",
        "The key is valid, and editors and `runner validate` know it. A plan refuses it by name, so that no playbook is"
        " silently half run.",
    ),
    "option-not-for-transport": CodePage(
        "a session option does not act over the transport of a host",
        "Most of New-PSSessionOption's options belong to WinRM; PowerShell leaves them without effect elsewhere, and"
        " here they are refused. Over SSH and locally act `open_timeout`, `cancel_timeout`, `application_arguments`,"
        " `maximum_received_object_size` and `maximum_received_data_size_per_command`, over SSH also `no_compression`.",
        "{hosts: web, transport: ssh, session_option: {idle_timeout: 12h}}",
        "{hosts: web, transport: ssh, session_option: {open_timeout: 30s}}",
    ),
    "option-without-effect": CodePage(
        "`enable_network_access` is accepted and does nothing",
        "It asks a Windows controller for an interactive token in a loopback session. A controller that is not Windows"
        " has no such token to give. For a second hop use `credssp`, Kerberos delegation or a JEA endpoint.",
    ),
    "order-value": CodePage(
        "`order_by` gives values that cannot be sorted",
        "An expression is computed for each host when the plan is made, and hosts are sorted by what it gives: numbers,"
        " texts, booleans or dates, of one kind on all hosts. Results are not known yet.",
        'order_by: "{{ rack }}"',
        "order_by: rack | int",
    ),
    "owner-over-winrm": CodePage(
        "`copy` sets an owner, a group or a mode on a host that is Windows",
        "Windows has access lists and no mode; a copy that asks for one fails there and changes nothing. A folder gives"
        " new files its own list.",
        "copy: {src: web.config, dest: 'C:\\inetpub\\web.config', mode: 0644}",
        "copy: {src: web.config, dest: 'C:\\inetpub\\web.config'}",
    ),
    "pattern-without-inventory": CodePage(
        "a pattern is used and no inventory is given",
        "Without an inventory, names written out stand for themselves; globs, groups and ranges need one.",
        "runner run patch.yml",
        "runner run patch.yml -i inventories/prod.yml",
    ),
    "plan-cycle": CodePage(
        "steps wait for each other in a circle",
        "None of these steps could ever start. The places show each `needs` of the circle.",
        "steps: [{id: a, needs: [b], script: x}, {id: b, needs: [a], script: y}]",
        "steps: [{id: a, needs: [], script: x}, {id: b, needs: [a], script: y}]",
    ),
    "pool-weight": CodePage(
        "more tokens are asked for than a pool has",
        "An assignment starts when all tokens it takes are free. One that takes more than there are would never start.",
        "{pools: {api: 2}, steps: [{pool: {api: 3}, script: x}]}",
        "{pools: {api: 4}, steps: [{pool: {api: 3}, script: x}]}",
    ),
    "powershell-key": CodePage(
        "a key of PowerShell is said on a step whose hosts speak another shell",
        "`strict_mode`, `native_exit_code`, `error_action` and its kin, `verbose` and `debug` are parameters and"
        " preferences of PowerShell. In `defaults` they hold for the steps that speak it.",
        "{shell: bash, error_action: stop, script: ls}",
        "{shell: powershell, error_action: stop, script: Get-ChildItem}",
    ),
    "remote-debug": CodePage(
        "`remote_debug` asks for an interactive debugger",
        "Invoke-Command's -RemoteDebug sets no flag on the wire: its own host steps through the script in a debugger"
        " that somebody types into. Nobody types into a run, so it is refused when the plan is made.",
        "{remote_debug: true, script: ./deploy.ps1}",
        "{debug: true, verbose: true, script: ./deploy.ps1}",
    ),
    "rescue-alone": CodePage(
        "a step of a rescue or an always is selected without its block",
        "It has a meaning only where a step of the block has run on the host. With any of these it comes by itself.",
        "runner run site.yml --only undrain",
        "runner run site.yml --only drain",
    ),
    "rescue-elsewhere": CodePage(
        "a block can fail on a host on which its rescue has no step",
        "A rescue runs on the host where the block failed. Steps that name other hosts, or this controller, would not"
        " run for it, and the host would count as rescued all the same. With `delegate_to` a step stays the host's own"
        " and is done elsewhere; with `rescue_on: block` one failed host is enough for the rescue to run on all its"
        " hosts.",
        "{hosts: web, block: [{script: x}], rescue: [{target: local, script: notify}]}",
        "{hosts: web, block: [{script: x}], rescue: [{delegate_to: local, script: notify}]}",
    ),
    "result-of-other-hosts": CodePage(
        "a step reads its own host's result of a step that ran on other hosts",
        "`N` is the result on the same host; a local step after a remote one has none. `results.N` maps every host of"
        " that step to its result.",
        "{target: local, when: events.output}",
        "{target: local, when: results.events | length > 0}",
    ),
    "script-typography": CodePage(
        "a script holds a dash or quote as word processors and web pages make them",
        "PowerShell reads curly quotes and long dashes as the plain ones, so that a curly apostrophe ends a text in single"
        " quotes; other programs take them for letters. Marks read in a wrong encoding are nothing to anybody.",
    ),
    "script-without-file": CodePage(
        "a script asks for its own folder, which it has not where it runs",
        "A `file` is read on this controller and sent as text, as with Invoke-Command's -FilePath: `$PSScriptRoot` and"
        " `$PSCommandPath` are empty there, and files beside it are not found.",
        "file: scripts/deploy.ps1   # it dot-sources $PSScriptRoot/common.ps1",
        "copy: {src: scripts/common.ps1, dest: 'C:/deploy/common.ps1'}   # in a step before it",
    ),
    "sent-unencrypted": CodePage(
        "scripts and results travel in clear text",
        "`no_encryption` over http turns the encryption of messages off. Everybody on the way can read and change them;"
        " with `basic` that includes the password.",
    ),
    "setting-value": CodePage(
        "a connection setting has a value it cannot have",
        "The setting may come from the playbook, a group or a host; `runner explain NAME --host HOST -i INVENTORY`"
        " shows from where.",
        "connection: {port: 99999}",
        "connection: {port: 2222}",
    ),
    "shell-over-winrm": CodePage(
        "a step speaks sh, bash or python on a host that is reached over WinRM",
        "WinRM carries PowerShell remoting and nothing else. sh, bash and python run over SSH, which Windows has too.",
        "{target: windows, shell: bash, script: 'ls -l'}",
        "{target: windows, script: Get-ChildItem}",
    ),
    "step-without-hosts": CodePage(
        "a step has no hosts and is skipped",
        "Its group is empty, or `-l` leaves none of its hosts. Steps that need it go on.",
    ),
    "switch-by-position": CodePage(
        "an argument by position looks like a parameter's name",
        "`args` bind by position: `-Verbose` among them is the text `-Verbose`. `parameters` bind by name, and `true`"
        " sets a switch.",
        "args: [-Name, spooler, -Force]",
        "parameters: {Name: spooler, Force: true}",
    ),
    "template-in-script": CodePage(
        "a script holds `{{` before a known name, and script text is not a template",
        "Script text is sent as it is written. `$Using:name` sends a value as data, safely; `template: true` pastes"
        " text, as Ansible does.",
        'script: echo "{{ version }}"',
        'script: echo "$Using:version"',
    ),
    "template-secret": CodePage(
        "a secret would be pasted into a script",
        "`template: true` makes values part of the script's text, where a secret does not belong. `$Using:` sends it as"
        " data.",
        "{template: true, script: 'login {{ token }}'}",
        "{script: 'login \"$Using:token\"'}",
    ),
    "transport-not-available": CodePage(
        "a host would be reached by a transport that this version does not have yet",
        "The target is valid; `local`, `ssh` and `winrm` are the transports of this version.",
    ),
    "unknown-certificate": CodePage(
        "no certificate of the store has the thumbprint",
        "The certificates that are there are listed with their thumbprints, subjects and last days. Files count that end"
        " in .pem, .crt or .cer and hold a certificate in PEM.",
    ),
    "unknown-pool": CodePage(
        "no pool has this name",
        "Pools stand under `pools:` in the playbook or in the inventory, each with the number of its tokens.",
        "{pools: {rack: 4}, steps: [{pool: rak, script: x}]}",
        "{pools: {rack: 4}, steps: [{pool: rack, script: x}]}",
    ),
    "unknown-member": CodePage(
        "a template reads of a result what no result has",
        "A result has `status`, `changed`, `output`, `stderr`, `errors`, `warnings`, `verbose`, `debug`, `information`,"
        " `progress` and `exit_code`, with `loop` also `results`. Whether it failed or was skipped is asked by a test:"
        " `NAME is failed`. `NAME.x is defined` and `NAME.x | default(0)` may ask for anything.",
        "steps:\n  - {id: probe, script: uptime, register: probe}\n  - {script: date, when: probe.rc == 0}",
        "steps:\n  - {id: probe, script: uptime, register: probe}\n  - {script: date, when: probe.exit_code == 0}",
    ),
    "unknown-result": CodePage(
        "`results.N` is read and no step registers `N`",
        "`register: N` on a step gives its results that name.",
        "script: print($Using:results.event)",
        "script: print($Using:results.events)",
    ),
    "unknown-step-tag": CodePage(
        "a tag is asked for that no step has",
        "Tags of the command line are compared with those of the steps; `all`, `tagged`, `untagged`, `always` and"
        " `never` are known too.",
    ),
    "unknown-using": CodePage(
        "a script uses `$Using:` with a name that is not defined for a host",
        "`$Using:name` looks a name up in the step's `using:`, then in its variables. Every name is known before"
        " anything connects; the place is where it stands in your file, also inside a script block.",
        "script: echo $Using:buildno",
        "script: echo $Using:build_number",
    ),
    "unordered-result": CodePage(
        "a step reads a result that may not be there yet",
        "A reader of `N` must have the step that registers it upstream; a reader of `results.N` must wait for all of"
        " its hosts.",
        "needs: [events]",
        "needs: [{step: events, wait: all}]",
    ),
    "unselected-result": CodePage(
        "a step reads the result of a step that `-t`, `--only` or `--start-at` leaves out",
        "The step would not run, so the result would not exist.",
    ),
    "uri-without-port": CodePage(
        "a `connection_uri` has no port",
        "As in Invoke-Command a URI without a port means 80 or 443, the ports of http and https, never 5985 or 5986,"
        " where WinRM listens unless it was told otherwise.",
        "connection_uri: https://web01.example.com/wsman",
        "connection_uri: https://web01.example.com:5986/wsman",
    ),
    "using-first-element": CodePage(
        "a list is read in bash without `[@]`",
        "As with any bash array, the bare name is the first element.",
        "{shell: bash, script: 'echo $Using:names'}",
        "{shell: bash, script: 'echo \"${Using:names[@]}\"'}",
    ),
    "using-needs-braces": CodePage(
        "a member is read without braces in sh or bash",
        "In sh and bash an unbraced name ends at the first character that is no letter, digit or `_`, so"
        " `$Using:log.txt` is `log` followed by `.txt`. A member or element is written in braces.",
        "script: echo $Using:inputs.release",
        "script: echo ${Using:inputs.release}",
    ),
    "using-type": CodePage(
        "a value cannot be sent to this shell",
        "sh has only text; bash has arrays and associative arrays of text; python takes any value.",
        "{shell: sh, script: 'echo $Using:names'}",
        "{shell: bash, script: 'echo \"${Using:names[@]}\"'}",
    ),
    "waits-across-waves": CodePage(
        "something inside of waves waits for hosts of later waves",
        "Hosts of a later wave begin when those before them are through. Where one of these waits for all hosts, both"
        " would wait for ever. That is so for `wait: all` and `rescue_on: block` in a block with several waves, and for"
        " a `run_once` on a host that is not in the first of them.",
    ),
    "wave-empty": CodePage(
        "a wave has no host",
        "A wave that is a pattern takes the hosts of the step that the pattern names and no wave before it took.",
        "{hosts: web, waves: [db, 100%]}",
        "{hosts: web, waves: [web01, 100%]}",
    ),
    "wave-rest": CodePage(
        "hosts are left that no wave takes",
        "Where the last wave is a pattern, hosts that it does not name would never be reached. A last size repeats until"
        " nobody is left; a pattern cannot.",
        "{hosts: web, waves: [web01, web02]}",
        "{hosts: web, waves: [web01, web02, 100%]}",
    ),
    "waves-local": CodePage(
        "waves are asked for where the only host is this controller",
        "Waves are shares of the hosts of a step or block. A step without `target`, `session` or `hosts` is local.",
        "{waves: [1, 100%], script: x}",
        "{hosts: web, waves: [1, 100%], script: x}",
    ),
}
