"""`ingress.migrate`: the manifests of Traefik 1.7 as Traefik 3 and today's API need them, and what was changed."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from hdss7.ingress.documents import Note, read
from hdss7.ingress.honoured import KNOWN
from hdss7.ingress.objects import migrate as migrated
from hdss7.options import Options
from provision.atomic import replace_file
from provision.errors import Exit, InputError
from provision.home import expanded
from provision.resources.kubernetes.schema import check_objects


def migrate(options: Options) -> int:
    """YAML on standard output or in --output; line by line on standard error what was changed and what was lost."""
    if not options.file:
        raise InputError("ingress.migrate needs the files to read", do="Name them: --file ds.yaml --file rbac.yaml")
    documents = read(options.file)
    if not documents:
        raise InputError("there is no object in what --file names", do="Name a file with manifests")
    objects, notes = migrated(documents, KNOWN)
    check_objects(objects, ", ".join(options.file))
    text = to_yaml(objects)
    for note in notes:
        print(note, file=sys.stderr)
    print(_summary(len(objects), notes), file=sys.stderr)
    code = Exit.FAILED if any(note.how == "lost" for note in notes) else Exit.OK
    if options.output:
        _write(options.output, text)
    if options.json:
        from hdss7.report.json import encode

        print(encode({}, None, code, manifests=text, notes=[asdict(note) for note in notes]))
    elif not options.output:
        sys.stdout.write(text)
    return code


def to_yaml(objects: Sequence[dict[str, Any]]) -> str:
    """A stream of documents, keys in the order of the input."""
    import yaml

    class Plain(yaml.SafeDumper):
        """Writes a value again where YAML would write an alias."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    dumped = (yaml.dump(item, Dumper=Plain, sort_keys=False, allow_unicode=True, width=1000) for item in objects)
    return "---\n".join(dumped)


def _summary(objects: int, notes: Sequence[Note]) -> str:
    counts = Counter(note.how for note in notes)
    return (
        f"ingress.migrate: {objects} objects for Traefik {KNOWN}: {counts['changed']} changes, "
        f"{counts['lost']} without a successor, {counts['todo']} left to you"
    )


def _write(name: str, text: str) -> None:
    path = expanded(name)
    try:
        replace_file(path, text, mode=0o644)
    except OSError as error:
        raise InputError(
            f"--output {name} can't be written",
            found=error.strerror or str(error),
            do="Name a file in a folder of yours",
        ) from None
