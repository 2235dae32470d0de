"""How to reach a host: Ansible's variables and the native `connection:`."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.document.nodes import Node
from runner.inventory.connection import connection_settings
from runner.inventory.load import load_inventory
from runner.inventory.model import UnreadVariableError
from runner.inventory.ssh_arguments import parse_ssh_arguments
from runner.inventory.values import plain
from runner.inventory.windows_ignored import WINDOWS_IGNORED
from runner.problems import Problems
from runner.values import Secret


def settings(folder: Path, text: str, host: str = "web1", name: str = "hosts") -> dict[str, object]:
    """The plain settings of a host of an inventory without errors."""
    (folder / name).write_text(text)
    problems = Problems()
    inventory = load_inventory([str(folder / name)], problems)
    assert not problems.has_errors, problems.sorted()
    return {key: plain(setting.value) for key, setting in connection_settings(inventory, host).items()}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ("ansible_host=a ansible_port=22 ansible_user=ops", {"address": "a", "port": 22, "user_name": "ops"}),
        ("ansible_ssh_host=h ansible_ssh_port=1 ansible_ssh_user=u", {"address": "h", "port": 1, "user_name": "u"}),
        ("ansible_ssh_private_key_file=~/.ssh/k", {"key_file_path": "~/.ssh/k"}),
        ("ansible_password=p", {"password": Secret("p")}),
        ("ansible_ssh_pass=p", {"password": Secret("p")}),
        ("ansible_connection=local", {"transport": "local"}),
        ("ansible_connection=smart", {"transport": "ssh"}),
        ("ansible_connection=network_cli", {"transport": "network_cli"}),
        ("ansible_connection=community.docker.docker", {"transport": "container", "runtime": "docker"}),
        ("ansible_connection=containers.podman.podman", {"transport": "container", "runtime": "podman"}),
        ("ansible_connection=winrm", {"transport": "winrm", "use_ssl": True}),
        ("ansible_connection=psrp ansible_port=5985", {"transport": "winrm", "use_ssl": False, "port": 5985}),
        ("ansible_shell_type=powershell", {"shell": "powershell"}),
        ("ansible_shell_type=fish", {}),
        ("ansible_python_interpreter=/usr/bin/python3", {"interpreter:python": "/usr/bin/python3"}),
        ("ansible_python_interpreter=auto_silent", {}),
        ("ansible_shell_executable=/bin/dash", {"interpreter:sh": "/bin/dash"}),
        ("ansible_shell_executable=/bin/bash", {"interpreter:sh": "/bin/bash", "interpreter:bash": "/bin/bash"}),
        ("ansible_host_key_checking=False", {"host_key_checking": "off"}),
        ("ansible_ssh_host_key_checking=yes", {"host_key_checking": "strict"}),
        ("ansible_ssh_timeout=5", {"connect_timeout": 5}),
        ("ansible_become=yes ansible_become_user=app", {"run_as": {"user": "app", "method": "sudo"}}),
        ("ansible_become=no", {}),
        ("ansible_ssh_common_args='-J ops@b:2222,c'", {
            "jump": [{"host_name": "b", "port": 2222, "user_name": "ops"}, {"host_name": "c"}]}),
        ("ansible_ssh_common_args='-o ProxyJump=none'", {"jump": []}),
        ("ansible_ssh_extra_args='-oCompression=no' ansible_ssh_common_args='-C -A'", {
            "options": {"Compression": "yes", "ForwardAgent": "yes"}}),
    ],
)  # fmt: skip
def test_ansible_variables_are_understood(
    tmp_path: Path, variables: str, expected: dict[str, object]
) -> None:
    """Each of Ansible's connection variables becomes the setting that means the same."""
    assert settings(tmp_path, f"web1 {variables}\n") == expected


SKIPPED = {"skip_ca_check": True, "skip_cn_check": True, "skip_revocation_check": True}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ("ansible_connection=winrm", {"use_ssl": True}),
        ("ansible_connection=ansible.builtin.psrp ansible_port=5985", {"use_ssl": False, "port": 5985}),
        ("ansible_connection=winrm ansible_winrm_scheme=http ansible_winrm_port=80", {"use_ssl": False, "port": 80}),
        ("ansible_connection=winrm ansible_winrm_transport=ntlm", {"use_ssl": True, "authentication": "negotiate"}),
        ("ansible_connection=winrm ansible_winrm_transport=kerberos,ssl", {
            "use_ssl": True, "authentication": "kerberos"}),
        ("ansible_connection=psrp ansible_psrp_auth=credssp ansible_psrp_configuration_name=JEA", {
            "use_ssl": True, "authentication": "credssp", "configuration_name": "JEA"}),
        ("ansible_connection=winrm ansible_winrm_path=/wsman", {"use_ssl": True, "application_name": "wsman"}),
        ("ansible_connection=winrm ansible_winrm_server_cert_validation=ignore", {
            "use_ssl": True, "session_option": SKIPPED}),
        ("ansible_connection=winrm ansible_port=5985 ansible_winrm_server_cert_validation=ignore", {
            "use_ssl": False, "port": 5985}),
        ("ansible_connection=psrp ansible_port=5985 ansible_psrp_message_encryption=never", {
            "use_ssl": False, "port": 5985, "session_option": {"no_encryption": True}}),
        ("ansible_connection=psrp ansible_psrp_message_encryption=never", {"use_ssl": True}),
        ("ansible_connection=winrm ansible_winrm_operation_timeout_sec=20", {
            "use_ssl": True, "session_option": {"operation_timeout": "20s"}}),
        ("ansible_connection=psrp ansible_psrp_reconnection_retries=3 ansible_psrp_ignore_proxy=yes", {
            "use_ssl": True,
            "session_option": {"max_connection_retry_count": "3", "proxy_access_type": "noproxyserver"}}),
        ("ansible_connection=winrm ansible_winrm_cert_pem=c.pem ansible_winrm_cert_key_pem=k.pem", {
            "use_ssl": True, "certificate_pem": "c.pem", "certificate_key_pem": "k.pem"}),
        ("ansible_connection=psrp ansible_psrp_auth=certificate ansible_psrp_certificate_pem=c.pem", {
            "use_ssl": True, "authentication": "default", "certificate_pem": "c.pem"}),
        ("ansible_connection=psrp ansible_winrm_transport=basic ansible_psrp_auth=ntlm", {
            "use_ssl": True, "authentication": "negotiate"}),
    ],
)  # fmt: skip
def test_variables_of_the_windows_plugins(
    tmp_path: Path, variables: str, expected: dict[str, object]
) -> None:
    """The variables of the plugins `winrm` and `psrp` become settings, each of the plugin that is used."""
    assert settings(tmp_path, f"web1 {variables}\n") == {"transport": "winrm", **expected}


@pytest.mark.parametrize("connection", ["", "ansible_connection=ssh", "ansible_connection=local"])
def test_windows_variables_are_nothing_to_other_hosts(tmp_path: Path, connection: str) -> None:
    """What is said of WinRM for all hosts does not make a Linux host a Windows host."""
    text = (
        f"web1 {connection}\n[all:vars]\nansible_winrm_transport=ntlm\nansible_winrm_port=5986\n"
        "ansible_winrm_server_cert_validation=ignore\nansible_psrp_auth=credssp\n"
    )
    assert set(settings(tmp_path, text)) <= {"transport"}


def test_windows_variables_go_with_a_native_transport(tmp_path: Path) -> None:
    """A host that `connection:` reaches over WinRM takes the variables of both plugins."""
    text = (
        "version: 1\nconnection: {transport: winrm}\nhosts: {web1: {vars: {ansible_winrm_transport: kerberos}}, "
        "web2: {connection: {transport: ssh}, vars: {ansible_winrm_transport: kerberos}}}\n"
    )
    assert settings(tmp_path, text, name="hosts.yml") == {"transport": "winrm", "authentication": "kerberos"}
    assert settings(tmp_path, text, "web2", name="hosts.yml") == {"transport": "ssh"}


@pytest.mark.parametrize("name", WINDOWS_IGNORED)
def test_variables_without_a_meaning_are_told_by_name(tmp_path: Path, name: str) -> None:
    """Whoever relies on an authority, a proxy or a delegation reads that it is not used, once, and what to do."""
    (tmp_path / "hosts").write_text(f"a {name}=x\nb {name}=y\n")
    (tmp_path / "hosts.yml").write_text(f"all: {{hosts: {{c: {{{name}: x}}}}}}\n")
    for file, line in (("hosts", 1), ("hosts.yml", 1)):
        problems = Problems()
        load_inventory([str(tmp_path / file)], problems)
        (problem,) = problems.sorted()
        assert (problem.code, problem.span and problem.span.line) == ("winrm-variable-ignored", line)
        assert f"`{name}`" in problem.message
        assert problem.hints == (WINDOWS_IGNORED[name],)


def test_the_nearest_wins(tmp_path: Path) -> None:
    """The host beats its groups, a child group its parent, whichever of two spellings is used."""
    text = (
        "[web]\nweb1 ansible_ssh_port=1\nweb2\n[prod:children]\nweb\n[prod:vars]\nansible_port=3\nansible_user=prod\n"
        "[web:vars]\nansible_ssh_user=web\n[all:vars]\nansible_port=4\nansible_host=all\n"
    )
    assert settings(tmp_path, text) == {"port": 1, "user_name": "web", "address": "all"}
    assert settings(tmp_path, text, "web2") == {"port": 3, "user_name": "web", "address": "all"}


def test_native_connections_and_variables_meet(tmp_path: Path) -> None:
    """`connection:` beats a variable of the same group, a nearer variable beats a farther `connection:`."""
    text = (
        "version: 1\nconnection: {user_name: all, port: 1}\ngroups:\n  web:\n    hosts: {web1: {address: 10.0.0.1}}\n"
        "    connection: {port: 2}\n    vars: {ansible_port: 3, ansible_user: web}\n"
    )
    assert settings(tmp_path, text, name="hosts.yml") == {
        "user_name": "web",
        "port": 2,
        "address": "10.0.0.1",
    }


def test_settings_know_their_place(tmp_path: Path) -> None:
    """A setting says which host or group it is from, and where that is written."""
    (tmp_path / "hosts").write_text("web1\n[all:vars]\nansible_user=ops\n")
    inventory = load_inventory([str(tmp_path / "hosts")], Problems())
    user = connection_settings(inventory, "web1")["user_name"]
    assert user.source == "group `all`"
    assert user.span is not None
    assert (user.span.line, user.span.column) == (3, 14)


def test_templates_stay_templates(tmp_path: Path) -> None:
    """Settings that hold Jinja are nodes, so that they are evaluated for the host; also inside arguments for ssh."""
    text = "web1 ansible_host='{{ a }}' ansible_ssh_common_args='-J {{ user }}@{{ jump }}'\n"
    (tmp_path / "hosts").write_text(text)
    found = connection_settings(load_inventory([str(tmp_path / "hosts")], Problems()), "web1")
    assert isinstance(found["address"].value, Node)
    assert isinstance(found["jump"].value, Node)
    assert plain(found["jump"].value) == [{"host_name": "{{jump}}", "user_name": "{{user}}"}]


def test_an_encrypted_password_is_an_error_where_used(tmp_path: Path) -> None:
    """A vaulted password is a setting whose value cannot be had, never a missing one."""
    (tmp_path / "hosts.yml").write_text(
        "all:\n  hosts:\n    web1:\n      ansible_password: !vault |\n        $ANSIBLE_VAULT\n"
    )
    found = connection_settings(load_inventory([str(tmp_path / "hosts.yml")], Problems()), "web1")
    with pytest.raises(UnreadVariableError, match="`ansible_password` of host `web1`"):
        _ = found["password"].value


def test_ssh_arguments_are_checked_when_read(tmp_path: Path) -> None:
    """An open quote is an error at its variable, an argument without meaning a warning."""
    (tmp_path / "hosts").write_text(
        "a ansible_ssh_common_args='-o \"x'\nb ansible_ssh_extra_args='-L 1:x:2'\n"
    )
    problems = Problems()
    load_inventory([str(tmp_path / "hosts")], problems)
    assert [(p.code, p.span and p.span.line) for p in problems.sorted()] == [
        ("ssh-arguments", 1),
        ("ssh-argument-ignored", 2),
    ]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("-o ProxyCommand='ssh -W %h:%p -q ops@bastion'", {"ProxyJump": "ops@bastion"}),
        ("-o ProxyCommand='ssh -p 22 -l u -W %h:%p b'", {"ProxyJump": "u@b:22"}),
        ("-o ProxyCommand='ssh -i k -W %h:%p b'", {"ProxyCommand": "ssh -i k -W %h:%p b"}),
        ("-o ProxyCommand='nc -X 5 %h %p'", {"ProxyCommand": "nc -X 5 %h %p"}),
        ("-o 'StrictHostKeyChecking no' -oUser=a -l b", {"StrictHostKeyChecking": "no", "User": "a"}),
        ("-o ControlMaster=auto -o ControlPersist=60s", {}),
        ("-tt -4 -p22", {"AddressFamily": "inet", "Port": "22"}),
    ],
)
def test_ssh_arguments_become_options(text: str, options: dict[str, str]) -> None:
    """Arguments of ssh become options by their words; a plain proxy through ssh is the jump it stands for."""
    assert parse_ssh_arguments(text).options == options
