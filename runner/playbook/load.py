"""A playbook from its file: read, checked against the schema, its includes and scripts read, made into the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runner.document.nodes import AnyNode, Document, Mapping, Scalar, Source
from runner.document.reader import PLAYBOOK_LIMIT, read_source, written_path
from runner.document.schema import check_playbook, check_steps_file
from runner.document.traps import check_script_style
from runner.document.yaml import load
from runner.playbook import check, parse
from runner.playbook.control import Later, Need, Wait
from runner.playbook.later import PLAYBOOK_KEYS, STEP_KEYS, TARGET_KEYS, later_keys
from runner.playbook.model import Playbook, Step
from runner.playbook.read import entries_of, items_of, scalars_of, seconds_of, text_of, throttle_of
from runner.playbook.step_parse import StepContext, parse_step
from runner.problems import Problems

_DEEPEST_INCLUDE = 20


def load_playbook(path: str | Path, problems: Problems) -> Playbook | None:
    """Read and check a playbook as far as that goes without an inventory.

    None where there is no tree at all (unreadable, broken YAML); else the model of whatever could be understood, so
    that later stages can find their problems too.
    """
    return _Loader(problems).load(Path(path))


class _Loader:
    """Reads the files of one playbook, each once."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._documents: list[Document] = []
        self._scripts: dict[Path, Source | None] = {}
        self._includes: dict[str, tuple[str, ...]] = {}

    def load(self, path: Path) -> Playbook | None:
        source = read_source(path, self._problems, limit=PLAYBOOK_LIMIT)
        if source is None:
            return None
        document = load(source, self._problems)
        root = document.root
        if root is None:
            return None
        self._problems.end_stage()
        check_playbook(document, self._problems)
        self._problems.end_stage()
        if not isinstance(root, Mapping):
            return None
        playbook = self._sections(path, document, root)
        check.check_playbook(playbook, self._problems)
        return playbook

    def _sections(self, path: Path, document: Document, root: Mapping) -> Playbook:
        problems = self._problems
        credentials, later_secrets = parse.parse_credentials(root.get("credentials"))
        targets, later_targets = parse.parse_targets(root.get("targets"), problems)
        defaults = entries_of(root.get("defaults"))
        scripts = dict(parse.scalars_by_name(root.get("scripts")))
        for scalar in scripts.values():
            check_script_style(scalar, problems, key="script")
        context = StepContext(
            problems=problems,
            directory=path.parent,
            read=self._read_script,
            scripts=scripts,
            defaults={key: value for key, value in defaults.items() if key != "connection"},
        )
        steps = self._resolve_includes(self._steps(root.get("steps"), context))
        later: list[Later] = [
            *later_keys(root, PLAYBOOK_KEYS),
            *later_keys(root.get("defaults"), STEP_KEYS),
            *later_keys(defaults.get("connection"), TARGET_KEYS),
            *later_secrets,
            *later_targets,
        ]
        return Playbook(
            path=str(path),
            document=document,
            documents=(document, *self._documents),
            name=text_of(root.get("name")) or path.stem,
            description=text_of(root.get("description")),
            inputs=parse.parse_inputs(root.get("inputs")),
            variables=self._variables(root, path.parent),
            credentials=credentials,
            session_options={
                name: value
                for name, value in entries_of(root.get("session_options")).items()
                if isinstance(value, Mapping)
            },
            targets=targets,
            sessions=parse.parse_sessions(root.get("sessions")),
            scripts=scripts,
            default_connection=parse.connection_of(defaults.get("connection"), problems),
            steps=tuple(steps),
            throttle=throttle_of(root.get("throttle")),
            timeout=seconds_of(root.get("timeout")),
            later=tuple(later),
        )

    def _variables(self, root: Mapping, directory: Path) -> dict[str, AnyNode]:
        variables = parse.parse_variables(root.get("vars"), self._problems)
        for scalar in scalars_of(root.get("vars_files")):
            source = read_source(
                directory / scalar.text, self._problems, limit=PLAYBOOK_LIMIT, span=scalar.span
            )
            document = load(source, self._problems) if source is not None else None
            if document is None or document.root is None:
                continue
            self._documents.append(document)
            if isinstance(document.root, Mapping):
                variables.update(parse.parse_variables(document.root, self._problems))
            else:
                self._problems.error(
                    "vars-file", "a vars file must be a mapping of names to values", document.root.span
                )
        return variables

    def _read_script(self, path: Path, named: Scalar) -> Source | None:
        if path not in self._scripts:
            source = read_source(path, self._problems, limit=PLAYBOOK_LIMIT, span=named.span)
            self._scripts[path] = source
            if source is not None:
                self._documents.append(Document(source, None))
        return self._scripts[path]

    def _steps(
        self, node: AnyNode | None, context: StepContext, entry: tuple[Need, ...] = (), depth: int = 0
    ) -> list[Step]:
        """The steps of a list, each with its needs told: ``entry`` is what the first of them waits for."""
        steps: list[Step] = []
        before = entry
        for number, item in enumerate(items_of(node), 1):
            if not isinstance(item, Mapping):
                continue
            step = parse_step(item, number, context)
            needs = before if step.needs is None else step.needs or entry
            if "include" in item:
                included = self._included(item, replace(step, needs=needs), context, depth)
                steps += included
                ends = _ends(included)
                self._includes[step.id] = ends
                before = tuple(Need(end, Wait.AUTO, step.span) for end in ends) or needs
            else:
                steps.append(replace(step, needs=needs))
                before = (Need(step.id, Wait.AUTO, step.span),)
        return steps

    def _included(self, item: Mapping, outer: Step, context: StepContext, depth: int) -> list[Step]:
        """The steps of an included file in the place of the step that includes them.

        They take its ``vars`` below their own, its ``when``, ``tags`` and needs on top of their own.
        """
        named = item.get("include")
        parts = entries_of(named)
        file = parts.get("file") if isinstance(named, Mapping) else named
        if not isinstance(file, Scalar) or file.value is None:
            return []
        if depth >= _DEEPEST_INCLUDE:
            words = f"files include each other more than {_DEEPEST_INCLUDE} deep"
            self._problems.error("include-too-deep", words, file.span)
            return []
        path = context.directory / written_path(file.text)
        source = read_source(path, self._problems, limit=PLAYBOOK_LIMIT, span=file.span)
        document = load(source, self._problems) if source is not None else None
        if document is None or document.root is None:
            return []
        self._documents.append(document)
        self._problems.end_stage()
        check_steps_file(document, self._problems)
        self._problems.end_stage()
        nodes = document.root.get("steps") if isinstance(document.root, Mapping) else document.root
        variables = {**outer.variables, **entries_of(parts.get("vars"))}
        inner = replace(context, directory=path.parent)
        return [
            replace(
                step,
                when=(*outer.when, *step.when),
                tags=step.tags | outer.tags,
                variables={**variables, **step.variables},
                later=(*outer.later, *step.later),
            )
            for step in self._steps(nodes, inner, outer.needs or (), depth + 1)
        ]

    def _resolve_includes(self, steps: list[Step]) -> list[Step]:
        """Steps that need an include by its id need the steps it ends with."""
        return [
            replace(
                step,
                needs=tuple(
                    Need(end, need.wait, need.span)
                    for need in step.needs or ()
                    for end in self._includes.get(need.step, (need.step,))
                ),
            )
            for step in steps
        ]


def _ends(steps: list[Step]) -> tuple[str, ...]:
    needed = {need.step for step in steps for need in step.needs or ()}
    return tuple(step.id for step in steps if step.id not in needed)
