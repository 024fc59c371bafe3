"""Inventories of the kinds that Ansible's documentation shows: what Ansible sees in them is what this toolkit sees."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.ansible.compare import Compare
from tests.ansible.conftest import Write

INI = """
    mail.example.com
    jumper:5309 ansible_host=192.0.2.50 note="two words" # a comment

    [web]
    www[01:03].example.com http_port=80 mode='0644'
    [web:vars]
    ntp = ntp.example.com   # no comment here
    flags = {'a': 1, "b": [True, None]}
    octal = 0644
    quoted = "text"
    [db]
    db-[a:c] size=10 ratio=1.5 on=true off=False none=None long=12_000
    10.0.0.[1:3]:2222
    [site:children]
    web
    db
    [site:vars]
    ansible_user=deploy
    template="{{ ansible_user }}-{{ inventory_hostname_short }}"
"""
YAML = """
    all:
      vars: {ansible_user: root, level: all}
      hosts:
        first: {level: host}
        "10.1.1.[1:2]": {port: 1}
      children:
        inner:
          children:
            leaf: {hosts: {leaf1: , leaf2: }, vars: {level: leaf}}
            other: {hosts: {leaf2: {own: 1}}, vars: {level: other, list: [1, two, 3.0, null, true, 2020-01-01]}}
          vars: {level: inner, from: "{{ level }}"}
    late:
      hosts: "late1"
      vars: {ansible_group_priority: 10, level: late}
"""
KINDS: Mapping[str, Mapping[str, str]] = {
    "INI": {"hosts": INI},
    "INI with the extension .ini": {"hosts.ini": INI},
    "YAML": {"hosts.yml": YAML},
    "YAML without an extension": {"hosts": YAML},
    "a port counts where a host is met first": {"hosts": "h1\nh1:2222\nh2:22\n[g]\nh2:33\n"},
    "a host of many groups": {
        "hosts": "[a]\nh\n[b]\nh\n[a:vars]\nx=a\n[b:vars]\nx=b\n[c:children]\na\nb\n[c:vars]\nx=c\n"
    },
    "priority": {"hosts": "[a]\nh\n[b]\nh\n[a:vars]\nansible_group_priority=10\nx=a\n[b:vars]\nx=b\n"},
    "sections that come twice": {"hosts": "[a]\nh1\n[b]\nh2\n[a]\nh3 x=1\n[a:vars]\nx=2\n[a]\nh1 x=3\n"},
    "children declared later": {"hosts": "[a:children]\nb\nc\n[c]\nh1\n[b]\nh2\n"},
    "ungrouped beside groups": {"hosts": "h1\n[ungrouped]\nh2\n[a]\nh1\n"},
    "hosts of all": {"hosts": "[all]\nh1\nh2\n[a]\nh2\n[all:vars]\nx=1\n"},
    "addresses of IPv6": {"hosts": "2001:db8::1\n[2001:db8::2]:22 x=1\n::1\n192.168.1.5\n"},
    "group names with dashes and dots": {"hosts": "[a-b]\nh1\n[a.b]\nh2\n[1st]\nh3\n"},
    "ranges with steps": {"hosts": "n[0:10:5]\nm[a:e:2]\nx[1:2]y[01:02]\n"},
    "text that looks like literals": {
        "hosts": "h a=1,2 b=[1 c='d e' f='[1, 2]' g=08 h=yes i=1e3 j=0x10 k=b'x' l=(1,2) m=1j\n"
    },
    "empty values": {"hosts": "h a= b='' c=\"\"\n[all:vars]\nd=\ne = ''\n"},
    "hashes in values": {"hosts": "h a='#1' b=c#d\n[all:vars]\ne=#1\nf=a # b\n"},
    "groups that are not mappings are skipped": {"hosts.yml": "note: text\nall: {hosts: {h1: }}\nx-more: {any: 1}\n"},
    "hosts and groups that are null": {
        "hosts.yml": "all:\n  hosts:\n  children:\n    a:\n    b: {hosts: , vars: }\nc: {hosts: {h: }}\n"
    },
    "anchors": {"hosts.yml": "x-common: {vars: &v {a: 1}}\nall: {hosts: {h: {<<: *v, b: 2}}}\n"},
    "hosts without variables": {"hosts.yml": "all: {hosts: {h1: [], h2: '', h3: false, h4: {}, h5: }}\n"},
    "lists of templates that are joined": {
        "hosts.yml": "all: {hosts: {h: {a: ['{{ c }}'], b: ['{{ c }}', {k: '{{ c }}'}], c: 1, d: '{{ a + b }}'}}}\n"
    },
    "yes and no": {"hosts.yml": "all: {hosts: {h: {a: yes, b: 'yes', c: 010, d: 0o10, e: 1_000, f: .5, g: 1:30}}}\n"},
    "text marked as no template": {"hosts.yml": "all: {hosts: {h: {a: !unsafe '{{ b }}', c: '{{ a }}'}}}\n"},
    "names that Ansible does not know": {"hosts": "h ansible_whatever=1 ansible_become_flags=-H\n"},
    "names of the toolkit's own": {"hosts.yml": "all: {hosts: {h: {dial: [1], known_hosts: {a: 1}, site_name: x}}}\n"},
}


@pytest.mark.parametrize("name", KINDS)
def test_hosts_groups_and_variables_are_ansibles(name: str, compare: Compare, write: Write) -> None:
    folder = write(KINDS[name])
    compare.same(folder / next(iter(KINDS[name])))


FOLDERS: Mapping[str, Mapping[str, str]] = {
    "files in the order of their names": {
        "20-b": "[g:vars]\nx=2\n[g]\nh2\n",
        "10-a.yml": "g: {hosts: {h1: {x: 1}}, vars: {x: 1}}\n",
    },
    "folders in folders": {"a/b/hosts": "[g]\nh1\n", "a/hosts.yml": "g: {hosts: {h2: }}\n", "z": "h3\n"},
    "what Ansible ignores": {
        **{
            f"hosts{end}": "never\n"
            for end in (".bak", ".orig", ".retry", ".cfg", ".txt", ".md", ".rst", ".swp", "~", ".pyc")
        },
        ".hidden": "never\n",
        "hosts": "h1\n",
    },
    "extensions that say nothing": {
        "hosts.lst": "h1\n",
        "web.inventory": "[web]\nh2\n",
        "all.json": '{"g": {"hosts": {"h3": null}}}',
    },
    "variables of the folder": {
        "hosts": "[g]\nh1\nh2\n[k:children]\ng\n",
        "group_vars/all.yml": "a: all\nb: all\nc: all\nd: all\n",
        "group_vars/k.yml": "b: k\nc: k\nd: k\n",
        "group_vars/g/1.yml": "c: g1\nd: g1\n",
        "group_vars/g/2": "c: g2\nd: g2\n",
        "group_vars/g/deep/3.json": '{"deep": 1}',
        "group_vars/g/not.txt": "deep: 2\n",
        "host_vars/h1": "d: h1\n",
        "host_vars/h2/x.yaml": "d: h2\n",
    },
    "variables of sub-folders are not read": {
        "sub/hosts": "[g]\nh1\n",
        "sub/group_vars/g.yml": "a: 1\n",
        "group_vars/all.yml": "b: 2\n",
    },
    "a folder of variables before a file": {
        "hosts": "h1\n",
        "group_vars/all/x.yml": "a: 1\n",
        "group_vars/all.yml": "a: 2\nb: 2\n",
    },
    "empty files": {"hosts": "h1\n", "more": "", "none.yml": "# nothing\n", "group_vars/all.yml": "---\n"},
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_is_read_as_ansible_reads_it(name: str, compare: Compare, write: Write) -> None:
    compare.same(write(FOLDERS[name]))


def test_variables_beside_the_plays_have_ansibles_precedence(compare: Compare, write: Write) -> None:
    names = "abcdef"
    kinds = ("group_vars/all", "group_vars/g", "host_vars/h1")
    places = [f"{folder}/{kind}" for kind in kinds for folder in ("inventory", "play")]
    files = {
        f"{place}.yml": "".join(f"{name}: {place}\n" for name in names[number:]) for number, place in enumerate(places)
    }
    folder = write({"inventory/hosts": "[g]\nh1 c=line\n[g:vars]\na=section\n", **files})
    inventory = compare.same(folder / "inventory", playbook_dir=folder / "play")
    assert inventory.host("h1").var("d") == "play/group_vars/g"


def test_several_sources_each_have_their_own_directory(compare: Compare, write: Write) -> None:
    folder = write(
        {
            "a/hosts": "[g]\nh1\nboth x=a\n[g:vars]\ny=a\n",
            "b/hosts.yml": "g: {hosts: {h2: , both: {x: b}}, vars: {y: b}}\n",
            "a/group_vars/g.yml": "z: a\nfrom: '{{ inventory_dir }} {{ inventory_file }} {{ playbook_dir }}'\n",
            "b/group_vars/g.yml": "z: b\n",
        }
    )
    for sources in (("a", "b"), ("b", "a"), ("a/hosts", "b/hosts.yml")):
        compare.same(*(folder / source for source in sources), playbook_dir=folder)


@pytest.mark.parametrize("text", ["h1,h2,", "10.0.0.1,", "h1:2222, h2 ,", "[2001:db8::1]:22,h1"])
def test_hosts_on_the_command_line_are_an_inventory(text: str, compare: Compare) -> None:
    compare.same(text)


REFUSED: Mapping[str, Mapping[str, str]] = {
    "a child that is no group": {"hosts": "[a:children]\nb\n"},
    "variables of no group": {"hosts": "[a]\nh\n[b:vars]\nx=1\n"},
    "a kind of section that there is not": {"hosts": "[a:host]\nh\n"},
    "words after a host": {"hosts": "[a]\nh1 h2\n"},
    "a line of variables without '='": {"hosts": "[a]\nh\n[a:vars]\nx\n"},
    "an open quote": {"hosts": "h a='b\n"},
    "a group inside itself": {"hosts": "[a:children]\nb\n[b:children]\na\n"},
    "a list of hosts": {"hosts.yml": "all: {hosts: [h1]}\n"},
    "a host that is a number": {"hosts.yml": "all: {hosts: {1: }}\n"},
    "broken YAML": {"hosts.yml": "all: {hosts: [\n"},
    "a range backwards": {"hosts": "h[b:a]\n"},
    "variables of a host that are a list": {"hosts.yml": "all: {hosts: {h: [1]}}\n"},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_ansible_refuses_is_refused_with_its_line(name: str, compare: Compare, write: Write) -> None:
    file = write(REFUSED[name]) / next(iter(REFUSED[name]))
    assert str(Path(file)) in compare.both_refuse(file).explanation.line
