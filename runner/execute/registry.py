"""What steps left for later ones: results under their names, ``results.NAME`` by host, values of ``set_vars``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, NoReturn, cast

from jinja2 import StrictUndefined, TemplateRuntimeError

from runner.engine.result import Result
from runner.values import Span
from runner.variables.not_known import NOT_KNOWN
from runner.variables.scope import Defined, Layer, Variable, VariableError

View = dict[str, Any]


def view(result: Result) -> View:
    """A result as templates and ``$Using:`` read it (language.md, "Results")."""
    seen: View = {
        "status": str(result.status),
        "changed": result.changed,
        "output": result.output,
        "stderr": result.stderr,
        "errors": [asdict(error) for error in result.errors],
        "warnings": list(result.streams.warnings),
        "verbose": list(result.streams.verbose),
        "debug": list(result.streams.debug),
        "information": list(result.streams.information),
        "progress": list(result.streams.progress),
        "exit_code": result.exit_code,
    }
    if result.items:
        seen["results"] = [{**view(item), "item": item.item} for item in result.items]
    return seen


_STILL_KNOWN: Final = ("status", "changed", "exit_code")


class LostView(View):
    """A result that held a secret, after a resume: its status is known, what it put out is recorded nowhere.

    Reading that raises :class:`runner.variables.scope.VariableError` (``resumed-secret``); a step must never be given
    stars in place of a password.
    """

    def __init__(self, step: str, known: View) -> None:
        super().__init__({key: known[key] for key in _STILL_KNOWN})
        self._step = step

    def _error(self) -> VariableError:
        return _lost(self._step)

    def __missing__(self, key: str) -> Any:
        raise self._error()

    def get(self, key: str, default: Any = None) -> Any:
        """As ``view[key]``: no default stands for what was lost."""
        del default
        return self[key]

    def __contains__(self, key: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        raise self._error()

    def keys(self) -> NoReturn:
        """Refused, as all that reads the whole."""
        raise self._error()

    def values(self) -> NoReturn:
        """Refused, as all that reads the whole."""
        raise self._error()

    def items(self) -> NoReturn:
        """Refused, as all that reads the whole."""
        raise self._error()

    def __repr__(self) -> str:
        raise self._error()


class UnseenView(LostView):
    """A result that is taken for done though nobody saw its end: what it gave was never known.

    A template may ask for that: to ``is defined`` and ``default`` its members are undefined. All other reading raises
    :class:`runner.variables.scope.VariableError` (``resumed-unseen``): a step must never be given emptiness for it.
    """

    def _error(self) -> VariableError:
        return VariableError(
            "resumed-unseen",
            f"nobody saw how step `{self._step}` ended here before the run was resumed, so what it gave is not known",
            hints=(
                "a template can ask for it: `NAME.output is defined`, or `NAME.output | default([])`",
                f"where the step may run twice: `runner resume RUN --rerun {self._step}`",
            ),
        )

    def __missing__(self, key: str) -> StrictUndefined:
        def error(_: str) -> VariableError:
            return self._error()

        # Jinja calls what it is given as the class of its error, and raises what that makes.
        return StrictUndefined(obj=self, name=key, exc=cast("type[TemplateRuntimeError]", error))


@dataclass(frozen=True, slots=True)
class _LostVariable:
    """A value of ``set_vars`` that was lost so."""

    step: str
    span: Span | None = None

    @property
    def value(self) -> NoReturn:
        """Raises VariableError (``resumed-secret``)."""
        raise _lost(self.step)

    @property
    def source(self) -> str:
        """In words."""
        return f"set by step `{self.step}`"


def _lost(step: str) -> VariableError:
    return VariableError(
        "resumed-secret",
        f"what step `{step}` gave held a secret, so it is not recorded and was lost when the run was resumed",
        hints=(f"run that step again: `runner resume RUN --rerun {step}`",),
    )


class Registry:
    """Registered results of a run. ``hosts`` gives the order in which ``results.NAME`` lists them."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self._order = {host: number for number, host in enumerate(hosts)}
        self._views: dict[str, dict[str, Any]] = {}  # views, and NOT_KNOWN
        self._layers: dict[str, dict[str, Defined]] = {}
        self._sorted: dict[str, Mapping[str, View]] = {}

    def register(
        self, name: str, step: str, result: Result, *, hosts: Sequence[str] = (), lost: bool = False
    ) -> None:
        """Keep a host's result under ``name``, for ``hosts`` where they are others (``run_once``).

        ``lost``: it held a secret and comes from a journal, which has it masked.
        """
        seen = view(result)
        if result.unseen or lost:
            seen = UnseenView(step, seen) if result.unseen else LostView(step, seen)
        for host in hosts or (result.host,):
            self._views.setdefault(name, {})[host] = seen
            self._layers.setdefault(host, {})[name] = Variable(seen, f"registered by step `{step}`")
        self._sorted.pop(name, None)

    def set_variables(self, host: str, step: str, values: Mapping[str, Any], *, lost: bool = False) -> None:
        """Keep what ``set_vars`` of a step gives a host; of the same name the last one counts, as for results.

        ``lost`` as in :meth:`register`.
        """
        layer = self._layers.setdefault(host, {})
        for name, value in values.items():
            layer[name] = _LostVariable(step) if lost else Variable(value, f"set by step `{step}`")

    def register_unknown(self, name: str, step: str, hosts: Sequence[str]) -> None:
        """Of a step that did not run (``--check``) nothing is known: who reads it is not known either."""
        for host in hosts:
            self._views.setdefault(name, {})[host] = NOT_KNOWN
            self._layers.setdefault(host, {})[name] = Variable(NOT_KNOWN, f"what step `{step}` registers")
        self._sorted.pop(name, None)

    def register_checked(self, name: str, step: str, result: Result, hosts: Sequence[str]) -> None:
        """Of a step that would change something (``--check``) all is known but what doing it would put out."""
        seen = {**view(result), **dict.fromkeys(("output", "stderr"), NOT_KNOWN)}
        for host in hosts:
            self._views.setdefault(name, {})[host] = seen
            self._layers.setdefault(host, {})[name] = Variable(seen, f"registered by step `{step}`")
        self._sorted.pop(name, None)

    def layer(self, host: str) -> Layer:
        """The host's own results, as variables."""
        return self._layers.get(host, {})

    def results(self) -> Mapping[str, Mapping[str, View]]:
        """All results by name, then by host in inventory order; sorted once for all its readers."""
        for name in self._views.keys() - self._sorted.keys():
            hosts = sorted(self._views[name], key=lambda host: self._order.get(host, len(self._order)))
            self._sorted[name] = {host: self._views[name][host] for host in hosts}
        return self._sorted
