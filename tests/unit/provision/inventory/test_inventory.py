"""Inventories: what Ansible's YAML layout means (compared with ansible-core 2.19.14), and what is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from provision.errors import Exit, InputError
from provision.inventory import Inventory
from provision.inventory.sources import open_source
from provision.inventory.ssh_args import Jump
from provision.inventory.vault import Vault

Write = Callable[[Mapping[str, str]], Path]

# A site as an Ansible user writes it: four nodes, a sudo user on another port, a jump host.
OTHER_SITE = {
    "hosts.yml": """
        all:
          vars:
            ansible_user: deploy
            ansible_port: 2222
            ansible_become: yes
            ansible_become_password: "{{ sudo_word }}"
            ansible_ssh_common_args: "-o ProxyJump=jump@203.0.113.7:2022"
            ansible_ssh_private_key_file: ~/.ssh/site
            ansible_python_interpreter: /usr/bin/python3
            sudo_word: s3cret
          children:
            edge:
              hosts:
                gw-1: {ansible_host: 198.51.100.11}
            nodes:
              hosts:
                node-[1:4]:
                  ansible_host: "198.51.100.{{ 20 + inventory_hostname.split('-')[1] | int }}"
            masters:
              children:
                control:
                  hosts: {node-1: , node-2: }
        """,
    "group_vars/all.yml": """
        site: {domain: example.org, vip: "{{ groups.edge[0] }}", dashboard: "traefik.{{ site.domain }}"}
        """,
    "group_vars/nodes/10-kubelet.yml": "kubelet: {max_pods: 50, labels: {zone: a}}\n",
    "group_vars/nodes/20-kubelet.yaml": "kubelet: {labels: {rack: r1}}\n",
    "host_vars/node-2.yml": "kubelet: {max_pods: 20}\nplain: {only: mine}\n",
}


def test_an_ansible_users_inventory_works_as_it_is(write: Write) -> None:
    inventory = Inventory.load([write(OTHER_SITE)])
    node = inventory.host("node-3")
    assert [host.name for host in inventory.hosts] == ["gw-1", "node-1", "node-2", "node-3", "node-4"]
    assert (node.address, node.port, node.user) == ("198.51.100.23", 2222, "deploy")
    assert (node.become, node.become_user, node.become_password) == (True, "root", "s3cret")
    assert node.jumps == (Jump("203.0.113.7", "jump", 2022),)
    assert node.private_key == Path("~/.ssh/site").expanduser()
    assert node.var("site") == {"domain": "example.org", "vip": "gw-1", "dashboard": "traefik.example.org"}
    assert inventory.groups["masters"] == ("node-1", "node-2")
    assert inventory.host("node-1").groups == ("control", "masters", "nodes")
    assert [host.name for host in node.group("nodes")] == ["node-1", "node-2", "node-3", "node-4"]
    for host in inventory.hosts:
        host.check_login()


def test_only_namespaces_merge_key_by_key(write: Write) -> None:
    folder = write({**OTHER_SITE, "group_vars/control.yml": "plain: {a: 1}\n"})
    inventory = Inventory.load([folder], namespaces=frozenset({"kubelet"}))
    assert inventory.host("node-1").var("kubelet") == {"max_pods": 50, "labels": {"zone": "a", "rack": "r1"}}
    assert inventory.host("node-2").var("kubelet") == {"max_pods": 20, "labels": {"zone": "a", "rack": "r1"}}
    assert inventory.host("node-2").var("plain") == {"only": "mine"}
    assert Inventory.load([folder]).host("node-1").var("kubelet") == {"labels": {"rack": "r1"}}


def test_an_origin_is_the_line_that_won(write: Write) -> None:
    folder = write(OTHER_SITE)
    inventory = Inventory.load([folder], ["kubelet.labels.rack=r9"], cwd=folder, namespaces=frozenset({"kubelet"}))
    node = inventory.host("node-2")
    assert node.origin("kubelet", "max_pods") == "host_vars/node-2.yml:1"
    assert node.origin("kubelet", "labels", "zone") == "group_vars/nodes/10-kubelet.yml:1"
    assert node.origin("kubelet", "labels", "rack") == "--extra-vars"
    assert node.origin("ansible_port") == "hosts.yml:5"
    assert node.origin("kubelet", "nothing") == ""


LAYERS = {
    "hosts.yml": """
        all:
          vars: {a: inv-all, b: inv-all, c: inv-all, d: inv-all, e: inv-all, f: inv-all}
          children:
            zone:
              vars: {b: inv-zone, c: inv-zone, near: zone}
              children:
                nodes:
                  vars: {c: inv-nodes, near: nodes}
                  hosts: {h1: {f: inv-host, g: inv-host}}
            alpha:
              vars: {ansible_group_priority: 10, prio: alpha, name: alpha}
              hosts: {h1: }
            beta:
              vars: {prio: beta, name: beta, near: beta}
              hosts: {h1: }
        """,
    "group_vars/all.yml": "c: gv-all\nd: gv-all\ne: gv-all\n",
    "group_vars/zone.yml": "d: gv-zone\ne: gv-zone\n",
    "group_vars/nodes.yml": "e: gv-nodes\ng: gv-nodes\n",
    "host_vars/h1.yml": "g: hv\n",
}


@pytest.mark.parametrize(
    ("variable", "winner"),
    [
        ("a", "inv-all"),
        ("b", "inv-zone"),
        ("c", "gv-all"),  # group_vars/all is stronger than the vars of any group in hosts.yml
        ("d", "gv-zone"),
        ("e", "gv-nodes"),
        ("f", "inv-host"),
        ("g", "hv"),
        ("near", "nodes"),  # further from all
        ("prio", "alpha"),  # ansible_group_priority
        ("name", "alpha"),
    ],
)
def test_the_stronger_place_wins_as_in_ansible(write: Write, variable: str, winner: str) -> None:
    assert Inventory.load([write(LAYERS)]).host("h1").var(variable) == winner


def test_a_later_source_wins_within_the_same_kind_of_place(write: Write) -> None:
    folder = write(
        {
            "one/hosts.yml": "all: {vars: {a: 1, b: 1}, children: {nodes: {hosts: {h1: , h2: }}}}",
            "one/group_vars/nodes.yml": "b: one\nc: one",
            "two/group_vars/all.yml": "c: two-all",
            "two/group_vars/nodes.yml": "d: two",
            "two/lab.yml": "all: {vars: {a: 2, b: 2}, hosts: {h2: {e: 2}}}",
        }
    )
    inventory = Inventory.load([folder / "one", folder / "two/lab.yml"])
    host = inventory.host("h2")
    assert {name: host.var(name) for name in "abcde"} == {"a": 2, "b": "one", "c": "one", "d": "two", "e": 2}
    assert inventory.directory == folder / "one"


BAD = [
    ("hosts.yml", "all:\n  hosts:\n    h1: {a: [1}\n", ["hosts.yml:3:15"]),
    ("hosts.yml", "all:\n\thosts:\n", ["hosts.yml:2:1", "indented with spaces"]),
    ("hosts.yml", "all: {hosts: {h1: {a: {{ x }}}}}", ["hosts.yml:1", 'needs quotes: "{{ name }}"']),
    ("hosts.yml", "all:\n  hosts:\n    h1:\n    h2:\n    h1:\n", ["'h1' is written twice", "hosts.yml:5", "line 3"]),
    ("hosts.yml", "all:\n  hosts:\n    - h1\n", ["hosts.yml:2", "a list", "Write 'hdss7-21:'"]),
    ("hosts.yml", "all:\n  host:\n    h1:\n", ["hosts.yml:2", "'host'", "Did you mean 'hosts'?"]),
    ("hosts.yml", "a:\n  children: {b: {children: {a: }}}\n", ["'a' is inside itself", "a → b → a"]),
    ("hosts.yml", "a: {children: {b: }}\nb: {children: {a: }}\n", ["inside itself"]),
    ("hosts.yml", "all: {hosts: {'h[3:1]': }}", ["hosts.yml:1", "'3' comes after '1'"]),
    ("hosts.yml", "all:\n  hosts:\n    h$(touch /tmp/p):\n", ["hosts.yml:3", "'h$(touch /tmp/p)' can't be used"]),
    ("hosts.yml", 'a: {hosts: {h: }}\n"a/b": {}\n', ["hosts.yml:2", "the group name 'a/b' can't be used"]),
    ("hosts.yml", "all: {hosts: {7: }}", ["the host name 7 is not text"]),
    ("hosts.yml", "", ["hosts.yml", "there is no host in the inventory"]),
    ("hosts.yml", "all: {vars: {a: 1}}", ["there is no host in the inventory"]),
    ("hosts.yml", "plugin: aws_ec2\nregions: [x]\n", ["hosts.yml:1", "plugins are not supported", "aws_ec2"]),
    ("hosts.yml", "all:\n  hosts: h1 h2\n", ["hosts.yml:2", "'h1 h2' can't be used"]),
    ("hosts.yml", "all:\n  hosts: {h: }\n  children: a/b\n", ["hosts.yml:3", "'a/b' can't be used"]),
    ("group_vars/all.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n", ["group_vars/all.yml", "ansible-vault", "damaged"]),
    ("hosts.yml", "all: {vars: {p: !other x}}", ["!other"]),
    ("hosts.yml", "all: {vars: {p: 1}}\n---\nall: {}\n", ["hosts.yml:2", "one document"]),
    ("hosts.yml", "all: {hosts: {h: }, vars: {inventory_dir: x}}", ["hosts.yml:1", "'inventory_dir' can't be set"]),
    ("hosts.yml", "all: {hosts: {h: {80: http}}}", ["hosts.yml:1", "the variable name 80 is not text"]),
    ("hosts.yml", "all: {hosts: {h: }, vars: {on: x}}", ["hosts.yml:1", "the variable name True is not text"]),
    ("group_vars/ndoes.yml", "a: 1", ["group_vars/ndoes.yml", "Did you mean 'nodes'?"]),
    ("host_vars/hdss7_21.yml", "a: 1", ["Did you mean 'hdss7-21'?"]),
    ("group_vars/all.yml", "- a\n", ["group_vars/all.yml:1", "names with values"]),
    ("group_vars/all.yml", "a: &x [*x]\n", ["contains itself"]),
]


@pytest.mark.parametrize(("name", "text", "words"), BAD)
def test_an_inventory_that_cannot_be_meant_is_told_in_one_paragraph(
    write: Write, name: str, text: str, words: list[str]
) -> None:
    good = "all: {children: {nodes: {hosts: {hdss7-21: }}}}"
    folder = write({name: text} if name.startswith("hosts") else {"hosts.yml": good, name: text})
    with pytest.raises(InputError) as caught:
        Inventory.load([folder], cwd=folder)
    assert caught.value.exit == Exit.BAD_INPUT
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_what_is_no_inventory_is_refused_by_name(write: Write) -> None:
    folder = write({"empty/readme.txt": "", "dynamic/hosts": "#!/bin/sh\necho {}\n"})
    (folder / "dynamic/hosts").chmod(0o755)
    for source, words in {
        "nowhere": "there is no inventory at nowhere",
        "empty": "there is no inventory file in empty",
        "dynamic": "--run-inventory-programs",
        "dynamic/hosts": "ansible-inventory -i SOURCE --list --export --yaml",
    }.items():
        with pytest.raises(InputError, match=words):
            Inventory.load([Path(source)], cwd=folder)


NOTED: dict[str, tuple[Mapping[str, str], str]] = {
    "an unknown name": (
        {"hosts.yml": "all: {hosts: {h: {ansible_shell_type: fish}}}"},
        "ansible_shell_type has no effect",
    ),
    "a misspelt name": ({"hosts.yml": "all: {hosts: {h: {ansible_prot: 4}}}"}, "Did you mean 'ansible_port'?"),
    "a magic name": ({"hosts.yml": "all: {hosts: {h: {groups: 4}}}"}, "'groups' has no effect"),
    "priority in the wrong place": (
        {"hosts.yml": "all: {hosts: {h: }}", "group_vars/all.yml": "ansible_group_priority: 4"},
        "ansible_group_priority has no effect",
    ),
    "a group in two places": (
        {"hosts.yml": "all: {hosts: {h: }}", "group_vars/all.yml": "a: 1", "group_vars/all/x.yml": "a: 2"},
        "group_vars/all.yml: ignored beside",
    ),
    "a part of a group": ({"hosts.yml": "all: {hosts: {h: }, settings: {}}"}, "no part 'settings'"),
    "a text that is near a part": ({"hosts.yml": "all: {hosts: {h: }}\ndb: {host: x}"}, "no part 'host'"),
    "a file that is no inventory": (
        {"hosts.yml": "all: {hosts: {h: }}", "Makefile": "run:\n\techo\n", "play.yml": "- hosts: all\n"},
        "Makefile is no inventory and is ignored",
    ),
    "an old name of our own": ({"hosts.yml": "all: {hosts: {h: {dial: 'a.b:c d'}}}"}, "is now called hdss7_dial"),
}


@pytest.mark.parametrize("name", NOTED)
def test_what_has_no_effect_is_told_once(write: Write, name: str) -> None:
    files, words = NOTED[name]
    folder = write(files)
    assert sum(words in note for note in Inventory.load([folder], cwd=folder).notes) == 1


@pytest.mark.parametrize(
    "beside",
    [
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "subject=CN = od.com\nissuer=CN = R11\n-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----\n",
        "apiVersion: v1\nkind: Service\n",
    ],
)
def test_files_that_settings_name_may_lie_beside_the_inventory(write: Write, beside: str) -> None:
    folder = write({"hosts.yml": "all: {hosts: {h: }}", "tls/od.com": beside})
    assert Inventory.load([folder], cwd=folder).notes == ()


def test_variables_for_a_host_that_is_not_here_now_are_left_alone(write: Write) -> None:
    folder = write(
        {"hosts.yml": "all: {hosts: {hdss7-21: }}", "host_vars/hdss7-22.yml": "a: 1", "group_vars/x.yml": "a: 1"}
    )
    assert Inventory.load([folder]).host("hdss7-21").var("a", None) is None


def test_an_unknown_host_group_or_variable_comes_with_the_nearest_one(write: Write) -> None:
    inventory = Inventory.load([write(OTHER_SITE)])
    with pytest.raises(InputError, match="Did you mean 'node-1'"):
        inventory.host("node_1")
    with pytest.raises(InputError, match="Did you mean 'nodes'"):
        inventory.host("gw-1").group("noeds")
    with pytest.raises(InputError, match="Did you mean 'sudo_word'"):
        inventory.host("gw-1").var("sudo_wrod")


def test_reading_an_inventory_imports_neither_jinja2_nor_msgspec(write: Write) -> None:
    folder = write({"hosts.yml": "all: {vars: {a: 1}, hosts: {h1: }}"})
    code = (
        "import sys; from pathlib import Path; from provision.inventory import Inventory;"
        "import provision.playbook.plays;"
        f"assert Inventory.load([Path({str(folder)!r})]).host('h1').var('a') == 1;"
        "assert not {'jinja2', 'msgspec', 'fabric', 'rich', 'difflib'} & set(sys.modules)"
    )
    root = Path(__file__).parents[4]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def test_an_open_source_is_read_once(write: Write) -> None:
    directory = write({"hosts.yml": "all: {hosts: {gw: }}", "group_vars/all.yml": "color: red"})
    opened = open_source(directory, Path.cwd(), Vault())
    assert Inventory.load([opened]).host("gw").var("color") == "red"
    write({"hosts.yml": "all: {hosts: {other: }}", "group_vars/all.yml": "color: blue"})
    assert Inventory.load([opened], ["size=3"]).host("gw").var("color") == "red"
