"""Values, results and records as a run can have them, and a comparison that sees types."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from runner.engine.observe import Summary
from runner.engine.result import Difference, ErrorRecord, Failure, Result, Status, Streams
from runner.journal import record as rec
from runner.journal.store import RunDirectory, RunStore
from runner.objects import EnumValue, PreciseDatetime, PreciseTimedelta, PSObject

MOMENT = datetime(2026, 11, 21, 1, 50, tzinfo=UTC)

text = st.text(st.characters(exclude_categories=()), max_size=8)  # lone surrogates too
names = st.sampled_from(["$type", "$spool", "value", "Id", "", "größe"]) | text
zones = st.sampled_from(
    [
        None,
        UTC,
        timezone(timedelta(hours=5, minutes=30)),
        timezone(timedelta(seconds=-3601)),
        ZoneInfo("Europe/Berlin"),
    ]
)
ticks = st.integers(0, 9)
moments = st.datetimes(timezones=zones, allow_imaginary=True)
durations = st.timedeltas()

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(4_000, 50_000).map(lambda bits: -(1 << bits))
    | st.floats()
    | text
    | st.binary(max_size=20)
    | moments
    | st.builds(PreciseDatetime.of, moments, ticks)
    | st.dates()
    | st.times(timezones=zones)
    | durations
    | st.builds(lambda d, t: PreciseTimedelta(d.days, d.seconds, d.microseconds, tick=t), durations, ticks)
    | st.decimals(allow_nan=False)
    | st.sampled_from(
        [Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), Decimal("1E+400"), Decimal("-0")]
    )
    | st.uuids()
    | st.builds(EnumValue, text, st.integers())
)
keys = text | st.integers() | st.none() | st.booleans() | st.dates() | st.tuples(st.integers(), text)


def _objects(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        PSObject,
        st.dictionaries(names, children, max_size=3),
        type_names=st.lists(text, max_size=2).map(tuple),
        text=st.none() | text,
    )


values = st.recursive(
    scalars,
    lambda children: (
        st.lists(children, max_size=4)
        | st.lists(children, max_size=3).map(tuple)
        | st.dictionaries(names, children, max_size=3)
        | st.dictionaries(keys, children, max_size=3)
        | st.dictionaries(names, children, max_size=3).map(OrderedDict)
        | _objects(children)
    ),
    max_leaves=12,
)

utc = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(fold=0))
lines = st.lists(text, max_size=3)
# A path or a message can hold bytes that were no UTF-8, and no other lone surrogates.
words = st.text(st.characters(codec="utf-8") | st.sampled_from("\udc80\udcff"), max_size=12)
some = st.none() | words
counts = st.integers(0, 10**6)
seconds = st.floats(0, 1e6)
errors = st.builds(
    ErrorRecord, words, some, exception=st.just(("System.Exception",)), line=st.none() | counts
)
few = scalars | st.lists(scalars, max_size=2) | st.builds(PSObject, st.dictionaries(names, text, max_size=2))
_entries = st.lists(few, max_size=1).map(tuple)
_flag = st.booleans()


def result(step: str = "a", host: str = "web1", status: Status = Status.OK, **more: Any) -> Result:
    """A short result."""
    return Result(step=step, host=host, status=status, **more)


def results(step: str = "a", host: str = "web1") -> st.SearchStrategy[Result]:
    """Results of any kind, with items that have none of their own."""
    items = (
        result(item=1, output="x"),
        result(host="web2", status=Status.FAILED),
        result(step="c", item={"$type": 1}),
    )
    return st.builds(
        Result,
        step=st.just(step),
        host=st.just(host),
        status=st.sampled_from(Status),
        changed=_flag,
        item=few,
        attempt=st.integers(1, 9),
        started_at=st.none() | utc,
        duration=seconds,
        exit_code=st.none() | st.integers(-255, 255),
        signal=some,
        output=few | st.just([]),
        stderr=lines,
        errors=st.lists(errors, max_size=2).map(tuple),
        streams=st.builds(Streams, _entries, information=_entries, progress=_entries),
        failure=st.none()
        | st.builds(Failure, words, words, words, _flag, st.lists(words, max_size=2).map(tuple)),
        skip_reason=some,
        held_back=_flag,
        ignored=_flag,
        rescued=_flag,
        would_change=_flag,
        difference=st.none() | st.builds(Difference, few, few, some),
        waited=seconds,
        transport=some,
        session=some,
        session_lost=_flag,
        truncated=_flag,
        output_file=some,
        secret=_flag,
        items=st.lists(st.sampled_from(items), max_size=2).map(tuple),
    )


_by_status = st.dictionaries(st.sampled_from(Status), counts)
_digests = st.dictionaries(words, st.dictionaries(words, words, max_size=2), max_size=2)
_steps = st.lists(st.builds(rec.StepCount, words, counts, some), max_size=2).map(tuple)
_words = st.lists(words, max_size=2).map(tuple)
options = st.builds(
    rec.RunOptions,
    cwd=words,
    inventory=_words,
    limit=some,
    tags=_words,
    skip_tags=_words,
    only=_words,
    start_at=some,
    extras=st.dictionaries(names, few, max_size=2),
    secret_extras=_words,
    throttle=st.none() | st.integers(0, 3),
    timeout=st.none() | seconds,
    check=_flag,
    credential=some,
    user=some,
    shell=some,
    certificates=some,
    ask_password=_flag,
    more=st.dictionaries(words, st.integers() | words | st.lists(words), max_size=2),
)
headers = st.builds(
    rec.RunHeader,
    run=words,
    playbook=words,
    path=words,
    started_at=utc,
    now=utc,
    plan=words,
    options=options,
    digests=_digests,
    steps=_steps,
    hosts=counts,
    seed=st.integers(),
    pid=counts,
    machine=words,
    user=words,
)
records: st.SearchStrategy[rec.Record] = st.one_of(
    headers,
    st.builds(rec.Started, words, words, st.integers(1, 9), st.none() | counts, utc),
    st.builds(rec.Ended, results(), utc),
    st.builds(rec.WavePassed, words, counts, utc),
    st.builds(rec.PolicyBroke, some, words, utc),
    st.builds(rec.Rescued, words, words, _words, utc),
    st.builds(rec.Noticed, words, utc, some),
    st.builds(rec.Answered, words, _flag, words, utc),
    st.builds(rec.Stopped, words, utc),
    st.builds(
        rec.Resumed,
        at=utc,
        pid=counts,
        decisions=st.lists(
            st.builds(rec.Decision, words, words, st.sampled_from(rec.Choice)), max_size=2
        ).map(tuple),
        changed=_words,
        rerun=_words,
        plan=some,
        digests=st.none() | _digests,
        steps=st.none() | _steps,
        hosts=st.none() | counts,
    ),
    st.builds(
        rec.Finished,
        st.builds(
            Summary,
            _by_status,
            _by_status,
            counts,
            seconds,
            st.integers(0, 255),
            some,
            _words,
            counts,
            counts,
            counts,
            some,
        ),
        utc,
    ),
)


def same(one: Any, other: Any) -> bool:
    """Whether two values are alike down to their types, also what ``==`` takes for equal or for different."""
    if type(one) is not type(other):
        return False
    if is_dataclass(one):
        return all(same(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
    if isinstance(one, dict):
        alike = len(one) == len(other) and all(
            same(a, b) and same(one[a], other[b]) for a, b in zip(one, other, strict=True)
        )
        return alike and _attributes(one) == _attributes(other)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float | Decimal | datetime | timedelta):
        return repr(one) == repr(other) and _attributes(one) == _attributes(other)
    return bool(one == other) and _attributes(one) == _attributes(other)


def _attributes(value: Any) -> list[Any]:
    return [getattr(value, name, None) for name in ("type_names", "text", "number", "tick", "fold")]


def header(run: str = "2026-11-21T015000Z-7f3a", **changed: Any) -> rec.RunHeader:
    """A header of a small run."""
    plain: dict[str, Any] = {
        "run": run,
        "playbook": "site",
        "path": "playbooks/site.yml",
        "started_at": MOMENT,
        "now": MOMENT,
        "plan": "0" * 64,
        "steps": (rec.StepCount("a", 2), rec.StepCount("b", 2)),
        "hosts": 2,
    }
    return rec.RunHeader(**{**plain, **changed})


def run_in(folder: Path, run: str = "2026-11-21T015000Z-7f3a", **changed: Any) -> RunDirectory:
    """A new run's directory."""
    return RunStore(folder).create(header(run, **changed))


def summary(**changed: Any) -> Summary:
    """The end of a run of two hosts."""
    plain: dict[str, Any] = {
        "results": {Status.OK: 4},
        "hosts": {Status.OK: 2},
        "ignored": 0,
        "duration": 1.5,
        "exit_code": 0,
    }
    return Summary(**{**plain, **changed})
