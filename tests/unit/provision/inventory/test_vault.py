"""ansible-vault's files and values, read (compared with ansible-core 2.19.14), and never shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provision.errors import InputError
from provision.inventory import Inventory
from provision.inventory.settings import bind
from provision.inventory.vault import Password, Vault
from provision.secret import HIDDEN, Redactor, Secret, secret, shown
from provision.templating.templates import Templates
from tests.unit.vaults import encrypted, value

Write = Callable[[Mapping[str, str]], Path]
HOSTS = {"hosts.yml": "all: {hosts: {h1: , h2: }}"}


def vault(*passwords: str, label: str = "default") -> Vault:
    return Vault([Password(label, f"password {p}", p.encode) for p in passwords])


def load(folder: Path, vault: Vault, *extra: str) -> Inventory:
    return Inventory.load([folder], extra, cwd=folder, namespaces=frozenset({"edge"}), vault=vault)


@settings(deadline=None, max_examples=25)
@given(st.text(), st.text(min_size=1), st.sampled_from(["", "prod"]), st.binary(min_size=1, max_size=40))
def test_whatever_was_encrypted_comes_back(text: str, password: str, label: str, salt: bytes) -> None:
    sealed = vault(password).seal(encrypted(text, password, label, salt), "x")
    assert sealed.open() == text


def test_a_value_a_file_and_an_extra_file_are_read(write: Write) -> None:
    folder = write(
        {
            **HOSTS,
            "group_vars/all/plain.yml": f"word: {value('hunter22')}\nlisted: [1]\n",
            "group_vars/all/vault.yml": encrypted(
                "port: 8080\nuser: {name: ann, keys: [k1, k2]}\nflag: true\n", label="dev"
            ),
            "host_vars/h1.yml": encrypted("whose: mine\n"),
            "vars/more.yml": encrypted("late: yes, very\n"),
        }
    )
    host = load(folder, vault("wrong", "pass"), "@vars/more.yml").host("h1")
    assert {name: host.var(name) for name in ("word", "listed", "port", "flag", "whose", "late")} == {
        "word": "hunter22", "listed": [1], "port": 8080, "flag": True, "whose": "mine", "late": "yes, very",
    }  # fmt: skip
    assert host.var("user") == {"name": "ann", "keys": ["k1", "k2"]}
    assert (host.origin("word"), host.origin("user", "name")) == (
        "group_vars/all/plain.yml:1",
        "group_vars/all/vault.yml:2",
    )


def test_a_whole_inventory_file_may_be_encrypted(write: Write) -> None:
    text = "all: {hosts: {h1: {ansible_host: 10.9.9.9, ansible_port: 2222, ansible_user: ann}}}"
    host = load(write({"hosts.yml": encrypted(text)}), vault("pass")).host("h1")
    assert (host.address, host.port, host.user) == ("10.9.9.9", 2222, "ann")


def test_a_vaulted_value_is_literal_and_a_vaulted_file_is_yaml(write: Write) -> None:
    folder = write(
        {
            **HOSTS,
            "group_vars/all.yml": f"plain: P\nword: {value('a {{ plain }} b')}\nuse: '<{{{{ word }}}}>'\n",
            "host_vars/h1.yml": encrypted("inside: 'a {{ plain }} b'\n"),
        }
    )
    host = load(folder, vault("pass")).host("h1")
    assert [host.var(name) for name in ("word", "use", "inside")] == ["a {{ plain }} b", "<a {{ plain }} b>", "a P b"]


def test_a_vault_key_is_derived_once_and_only_when_needed(write: Write) -> None:
    word, other = value("hunter22"), value("swordfish")
    folder = write({**HOSTS, "group_vars/all.yml": f"a: 1\nedge: {{b: 2}}\nword: {word}\nother: {other}\n"})

    def never() -> bytes:
        raise AssertionError("the password was asked for")

    silent = load(folder, Vault([Password("default", "never", never)]))
    assert (silent.host("h1").var("a"), silent.host("h1").var("edge")) == (1, {"b": 2})
    assert [silent.host("h1").scope.readable(name) for name in ("word", "edge")] == [HIDDEN, {"b": 2}]
    mine = vault("pass")
    hosts = load(folder, mine).hosts
    assert {host.var("word") for host in hosts for _ in range(3)} == {"hunter22"}
    assert mine.derived == 1
    assert load(folder, mine).host("h1").var("word") == "hunter22"
    assert mine.derived == 1
    hosts[0].var("other")
    assert mine.derived == 2


def test_the_password_of_a_values_own_vault_id_is_tried_first(write: Write) -> None:
    folder = write({**HOSTS, "group_vars/all.yml": f"word: {value('hunter22', 'second', 'prod')}\n"})
    both = Vault([Password("dev", "dev's", lambda: b"first"), Password("prod", "prod's", lambda: b"second")])
    assert load(folder, both).host("h1").var("word") == "hunter22"
    assert both.derived == 1


SCRAP = encrypted("x: 1")
REFUSED: dict[str, tuple[str, Vault, list[str]]] = {
    "no password": (f"\nword: {value('x')}", Vault(), ["all.yml:2", "is no password", "--vault-password-file"]),
    "another password": (f"word: {value('x')}", vault("wrong"), ["all.yml:1", "opens this", "password wrong"]),
    "another vault id": (f"word: {value('x', 'p', 'prod')}", vault("wrong"), ["all.yml:1", "vault id 'prod'"]),
    "a file and no password": (encrypted("word: x"), Vault(), ["all.yml: this is", "ANSIBLE_VAULT_PASSWORD_FILE"]),
    "a file of another password": (encrypted("word: x"), vault("wrong"), ["all.yml: no vault password opens"]),
    "cut off": (SCRAP[: len(SCRAP) // 2] + "\n", vault("pass"), ["all.yml", "damaged"]),
    "one digit changed": (SCRAP[:-3] + "00\n", vault("pass"), ["all.yml"]),
    "not hexadecimal": ("$ANSIBLE_VAULT;1.1;AES256\nzz\n", vault("pass"), ["all.yml", "damaged", "ansible-vault"]),
    "only the header": ("$ANSIBLE_VAULT;1.1;AES256\n", vault("pass"), ["damaged"]),
    "version 1.0": ("$ANSIBLE_VAULT;1.0;AES\n6162\n", vault("pass"), ["version '1.0'", "cipher 'AES'"]),
    "no vault text": ("word: !vault hunter22", vault("pass"), ["all.yml:1", "begins with $ANSIBLE_VAULT"]),
    "a list": ("word: !vault [a]", vault("pass"), ["all.yml:1", "one text"]),
    "not text": (f"word: {value(bytes([255, 254]))}", vault("pass"), ["all.yml:1", "not text", "byte 0"]),
    "no YAML inside": (encrypted("word: *hunter22\n"), vault("pass"), ["all.yml:1", "can't be read"]),
    "a list inside": (encrypted("- hunter22\n"), vault("pass"), ["all.yml:1", "names with values"]),
    "no Jinja inside": (encrypted("word: '{% hunter22 %}'\n"), vault("pass"), ["all.yml:1", "'word' can't be"]),
    "an unknown name inside": (encrypted("word: '{{ hunter22 }}'\n"), vault("pass"), ["all.yml:1", "not shown"]),
    "no use for it": (f"word: '{{{{ [][v] }}}}'\nv: {value('hunter22')}", vault("pass"), ["all.yml:1"]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "vault", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_a_vault_error_names_the_place_and_no_content(write: Write, text: str, vault: Vault, words: list[str]) -> None:
    folder = write(HOSTS)
    (folder / "group_vars").mkdir()
    (folder / "group_vars/all.yml").write_text(text)
    with pytest.raises(InputError) as caught:
        load(folder, vault).host("h1").var("word")
    told = str(caught.value)
    assert "\n" not in told
    assert "hunter22" not in told
    for word in words:
        assert word in told


class Edge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings as a role types them."""

    word: str = ""
    port: int = 0
    limit: int | None = None
    words: tuple[str, ...] = ()
    mode: str | None = None


def edge(folder: Path, *extra: str) -> Edge:
    return bind(Edge, load(folder, vault("pass"), *extra).host("h1"), "edge")


def test_settings_of_every_type_keep_secrets(write: Write) -> None:
    text = f"edge:\n  word: {value('hunter22')}\n  port: {value('8080')}\n  words: [a, {{v}}]\n"
    text += "  mode: '{{ plain }}'\nplain: x\n"
    folder = write({**HOSTS, "group_vars/all.yml": text.replace("{v}", '"{{ edge.word }}!"')})
    found = edge(folder)
    assert found == Edge("hunter22", 8080, None, ("a", "hunter22!"), "x")
    assert "hunter22" not in repr(found)
    assert "8080" not in repr(found)
    assert [isinstance(v, Secret) for v in (found.word, found.port, *found.words, found.mode)] == [
        True, True, False, True, False,
    ]  # fmt: skip


def test_a_setting_that_does_not_fit_is_refused_without_its_value(write: Write) -> None:
    folder = write({**HOSTS, "group_vars/all.yml": f"edge:\n  port: {value('hunter22')}\n"})
    with pytest.raises(InputError, match=r"edge\.port' has the wrong type") as caught:
        edge(folder)
    assert "hunter22" not in str(caught.value)
    assert "all.yml:2" in str(caught.value)


TEMPLATES = {
    "plain": ("{{ settings.mode }} {{ host.name }}", False),
    "a setting": ("{{ settings.word }}", True),
    "encoded": ("{{ settings.word | b64encode }}", True),
    "joined": ("{{ settings.words | join(' ') }}", True),
    "in a loop": ("{% for w in settings.words %}{{ w | length }}{% endfor %}", True),
    "only asked": ("{% if settings.word == 'x' %}y{% else %}n{% endif %}", True),
    "a variable that uses it": ("{{ host.var('url') }}", True),
    "another host's": ("{{ host.inventory.host('h2').var('url')[:3] }}", True),
    "given by the role": ("{{ given }}", True),
    "in a mapping given by the role": ("{{ mapping | to_json }}", True),
    "a number": ("{{ settings.port + 1 }}", True),
    "a set variable": ("{% set w = settings.word %}{{ w | upper }}", True),
    "the login's password": ("{{ host.become_password }}", True),
}


@pytest.mark.parametrize(("template", "hidden"), TEMPLATES.values(), ids=TEMPLATES.keys())
def test_a_text_that_was_made_with_a_secret_is_one(write: Write, template: str, hidden: bool) -> None:
    folder = write(
        {
            **HOSTS,
            "group_vars/all.yml": f"edge:\n  word: {value('hunter22')}\n  port: {value('80')}\n"
            "  words: ['{{ edge.word }}']\n  mode: x\nurl: 'http://ann:{{ edge.word }}@h'\n"
            "ansible_become_password: swordfish\n",
            "templates/t.j2": template,
        }
    )
    host = load(folder, vault("pass")).host("h1")
    word = secret("hunter22")
    known = {"host": host, "settings": bind(Edge, host, "edge"), "given": word, "mapping": {"a": [word]}}
    text = Templates([folder / "templates"], cache=folder / "cache").render("t.j2", known)
    assert isinstance(text, Secret) is hidden
    assert (HIDDEN in str(text)) is False


def test_a_template_that_fails_does_not_quote_the_secret(write: Write) -> None:
    folder = write({"t.j2": "{{ ('x' ~ word) | int(base=word) }}{{ {}[word + 'x'].a }}{{ 'a' + word * 'b' }}"})
    with pytest.raises(InputError) as caught:
        Templates([folder], cache=folder / "cache").render("t.j2", {"word": secret("hunter22")})
    assert "hunter22" not in str(caught.value)


def test_a_secret_shows_itself_nowhere_by_accident() -> None:
    everything = secret({"a": "hunter22", "b": [5551234, 2.5], "c": True})
    assert shown(everything) == {"a": HIDDEN, "b": [HIDDEN, HIDDEN], "c": True}
    assert repr(everything) == f"{{'a': {HIDDEN}, 'b': [{HIDDEN}, {HIDDEN}], 'c': True}}"
    assert [str(v) for v in (everything["a"], *everything["b"])] == ["hunter22", "5551234", "2.5"]
    assert json.loads(json.dumps(everything)) == {"a": "hunter22", "b": [5551234, 2.5], "c": True}
    assert everything == {"a": "hunter22", "b": [5551234, 2.5], "c": True}


KEPT = [
    ({"hunter22"}, "password hunter22!", f"password {HIDDEN}!"),
    ({"hunter22"}, "xhunter22x", f"x{HIDDEN}x"),
    ({"hunter22"}, "data: aHVudGVyMjI=", f"data: {HIDDEN}"),
    ({"root"}, "rootfs of root", f"rootfs of {HIDDEN}"),
    ({"80", "", " ", "yes"}, "yes, port 80", "yes, port 80"),
    ({"-----BEGIN\nabcdefgh\nx\n"}, "+abcdefgh", f"+{HIDDEN}"),
    ({12345678}, "pin=12345678", f"pin={HIDDEN}"),
    ({"hunter", "hunter22"}, "hunter22", HIDDEN),
    (set(), "anything", "anything"),
]


@pytest.mark.parametrize(("secrets", "text", "cleaned"), KEPT)
def test_a_programs_output_is_cleaned_of_secrets(secrets: set[object], text: str, cleaned: str) -> None:
    redactor = Redactor(secrets)
    assert redactor.cleaned(text) == cleaned
    assert redactor.finds(text) is (text != cleaned)
    assert redactor.finds(text.encode()) is (text != cleaned)
