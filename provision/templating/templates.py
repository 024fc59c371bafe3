"""A role's Jinja2 files, rendered strictly and kept compiled between runs."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from provision.errors import InputError, ProvisionError
from provision.folders import cache_folder
from provision.secret import Redactor, SecretText, tracking
from provision.spelling import suggestion

if TYPE_CHECKING:
    from jinja2 import BytecodeCache, Environment


class Templates:
    """The templates below `directories`; the first that has one wins.

    cache: where compiled ones are kept, by default in the user's cache folder. shown: the folder as errors name it.
    """

    def __init__(self, directories: Sequence[Path], cache: Path | None = None, shown: str = "templates") -> None:
        self._directories = tuple(directories)
        self._cache = cache
        self._shown = shown

    def render(self, name: str, variables: Mapping[str, Any], *, host: str = "", role: str = "") -> str:
        """The text of template `name` (`edge/od.com.conf.j2`); names are looked up in `variables` when used.

        Blocks leave no empty line, and the newline at the end is kept. A text that needed a secret is one
        (SecretText). Raises InputError with the template's line for an unknown template, a syntax error, and a
        name that isn't there.
        """
        with tracking() as seen:
            text = self._render(name, variables, host, role, seen)
        return SecretText(text) if seen else text

    def _render(self, name: str, variables: Mapping[str, Any], host: str, role: str, seen: set[Any]) -> str:
        import jinja2

        from provision.templating.environment import MissingNameError, context

        try:
            return self._environment.get_template(name).render(context(variables))
        except ProvisionError:
            raise
        except jinja2.TemplateNotFound as error:
            missing = str(error.name)
            raise InputError(
                f"there is no template '{missing}'", host=host, role=role, do=suggestion(missing, self._names())
            ) from None
        except jinja2.TemplateSyntaxError as error:
            found = self._place(error.name or name, error.lineno)
            raise InputError(
                "the template can't be read",
                host=host,
                role=role,
                line=found,
                found=str(error.message),
                do="Correct the template there, or just above",
            ) from None
        except MissingNameError as error:
            found, line = self._where(error.__traceback__, name)
            do = suggestion(error.name, error.candidates or variables)
            raise InputError(
                f"the template uses {Redactor(seen).cleaned(_quoted(error))}",
                host=host,
                role=role,
                line=self._place(found, line),
                do=do,
            ) from None
        except Exception as error:  # the template's own doing: a filter or an operator met a value it can't work on
            found, line = self._where(error.__traceback__, name)
            raise InputError(
                "the template failed",
                host=host,
                role=role,
                line=self._place(found, line),
                found=Redactor(seen).cleaned(f"{type(error).__name__}: {error}"),
                do="Correct the template, or the value that it uses there",
            ) from None

    @cached_property
    def _environment(self) -> Environment:
        from jinja2 import FileSystemLoader

        from provision.templating.environment import environment

        return environment(FileSystemLoader(self._directories), self._compiled(), lstrip=True)

    def _compiled(self) -> BytecodeCache | None:
        """Where compiled templates are kept; None when that is not a folder of our own, for what is in it is run."""
        import jinja2
        from jinja2 import FileSystemBytecodeCache

        class Cache(FileSystemBytecodeCache):
            def dump_bytecode(self, bucket: Any) -> None:
                try:
                    super().dump_bytecode(bucket)
                except OSError:  # a full or read-only disk costs time, not the run
                    return

        folder = (self._cache or cache_folder("templates")) / f"jinja-{jinja2.__version__}"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            safe = folder.stat().st_uid == os.geteuid() and stat.S_ISDIR(folder.lstat().st_mode)
        except OSError:
            return None
        return Cache(str(folder)) if safe else None

    def _names(self) -> list[str]:
        return sorted({str(path.relative_to(each)) for each in self._directories for path in each.rglob("*.j2")})

    def _where(self, trace: TracebackType | None, name: str) -> tuple[str, int | None]:
        """The template, and the line in it, that a failure comes from: the innermost one."""
        found: tuple[str, int | None] = (name, None)
        while trace is not None:
            path = Path(trace.tb_frame.f_code.co_filename)
            for each in self._directories:
                if path.is_relative_to(each):
                    found = (str(path.relative_to(each)), trace.tb_lineno)
            trace = trace.tb_next
        return found

    def _place(self, name: str, line: int | None) -> str:
        return f"{self._shown}/{name}" + (f":{line}" if line else "")


def _quoted(error: Any) -> str:
    return f"'{error.name}', which is not set" if error.name else str(error)
