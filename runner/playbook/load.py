"""A playbook from its file: read, checked against the schema, its includes and scripts read, made into the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runner.document.nodes import AnyNode, Document, Mapping, Scalar, Source
from runner.document.reader import PLAYBOOK_LIMIT, read_source
from runner.document.schema import check_playbook, check_steps_file
from runner.document.traps import check_script_style
from runner.document.yaml import load
from runner.playbook import check, computed, parse
from runner.playbook.check_blocks import check_blocks
from runner.playbook.check_control import check_control
from runner.playbook.check_values import check_values
from runner.playbook.context import StepContext
from runner.playbook.control import Later
from runner.playbook.control_parse import parse_tolerance
from runner.playbook.fitting import fitted_blocks, fitted_steps
from runner.playbook.flatten import Flat, Flattener
from runner.playbook.later import PLAYBOOK_KEYS, STEP_KEYS, TARGET_KEYS, later_keys
from runner.playbook.model import Block, Playbook
from runner.playbook.read import entries_of, scalars_of, seconds_of, text_of, throttle_of, word_of
from runner.problems import Problems
from runner.values import Span


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
        playbook = replace(playbook, blocks=fitted_blocks(playbook))
        for rules in (check.check_playbook, check_values, check_control, check_blocks):
            rules(playbook, self._problems)
        return playbook

    def _sections(self, path: Path, document: Document, root: Mapping) -> Playbook:
        problems = self._problems
        credentials, later_secrets = parse.parse_credentials(root.get("credentials"))
        targets, later_targets = parse.parse_targets(root.get("targets"), problems)
        sessions = parse.parse_sessions(root.get("sessions"))
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
        flat = Flattener(self._read_steps).flatten(root.get("steps"), context)
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
            sessions=sessions,
            scripts=scripts,
            default_connection=parse.connection_of(defaults.get("connection"), problems),
            steps=fitted_steps(tuple(flat.steps), targets, sessions),
            throttle=throttle_of(root.get("throttle")),
            timeout=seconds_of(root.get("timeout")),
            blocks=self._blocks(flat),
            pools=parse.parse_pools(root.get("pools")),
            max_fail=parse_tolerance(root.get("max_fail")),
            max_unreachable=parse_tolerance(root.get("max_unreachable")),
            lock=word_of(root.get("lock")),
            deadlines=parse.parse_deadlines(root.get("deadlines")),
            later=tuple(later),
            computed=computed.templates_in(entries_of(root), computed.PLAYBOOK_KEYS),
        )

    def _blocks(self, flat: Flat) -> dict[str, Block]:
        """The blocks by id; a second one of an id is told."""
        blocks: dict[str, Block] = {}
        for block in flat.blocks:
            if block.id in blocks:
                check.tell_duplicate(block.id, blocks[block.id].span, block.span, self._problems)
            blocks.setdefault(block.id, block)
        return blocks

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

    def _read_steps(self, path: Path, span: Span) -> Document | None:
        """A file that ``include`` names, checked against the schema."""
        source = read_source(path, self._problems, limit=PLAYBOOK_LIMIT, span=span)
        document = load(source, self._problems) if source is not None else None
        if document is None or document.root is None:
            return None
        self._documents.append(document)
        self._problems.end_stage()
        check_steps_file(document, self._problems)
        self._problems.end_stage()
        return document
