"""Who may read which result: upstream for one's own, behind an all-hosts edge for everybody's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.document.nodes import Mapping, Source
from runner.plan.reading import readable_results
from runner.playbook.bodies import AssertBody
from runner.playbook.control import Need, Wait
from runner.playbook.model import Step
from runner.values import Span

SPAN = Span("p.yml")
NODE = Mapping(Source("p.yml", ""), 1, 1, 1, 1, entries={})


def step(name: str, *needs: tuple[str, Wait]) -> Step:
    return Step(
        id=name, span=SPAN, node=NODE, body=AssertBody(()), needs=tuple(Need(n, w, SPAN) for n, w in needs)
    )


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[Step], dict[str, frozenset[str]]]:
    count = draw(st.integers(1, 6))
    steps, hosts = [], {}
    for number in range(count):
        needed = draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        waits = [draw(st.sampled_from(Wait)) for _ in needed]
        steps.append(step(f"s{number}", *((f"s{n}", w) for n, w in zip(sorted(needed), waits, strict=True))))
        hosts[f"s{number}"] = frozenset(draw(st.sets(st.sampled_from("abc"), max_size=3)))
    return steps, hosts


def done_before(
    steps: list[Step], hosts: dict[str, frozenset[str]], name: str, host: str
) -> set[tuple[str, str]]:
    """Every (step, host) that must be over before ``name`` may start on ``host``, straight from the language."""
    by_id = {s.id: s for s in steps}
    over: set[tuple[str, str]] = set()
    for need in by_id[name].needs or ():
        if need.wait is not Wait.ALL and host in hosts[need.step]:
            waited = {host}
        elif need.wait is Wait.SAME:
            waited = set()
        else:
            waited = set(hosts[need.step])
        for other in waited:
            over |= {(need.step, other)} | done_before(steps, hosts, need.step, other)
    return over


@given(plans())
def test_complete_results_are_complete_on_every_host(
    plan: tuple[list[Step], dict[str, frozenset[str]]],
) -> None:
    """Whatever is called complete is over on all its hosts before any assignment of the reader starts."""
    steps, hosts = plan
    readable = readable_results(steps, hosts)
    for reader in steps:
        for host in hosts[reader.id]:
            over = done_before(steps, hosts, reader.id, host)
            for name in readable[reader.id].complete:
                assert {(name, other) for other in hosts[name]} <= over


def test_a_local_report_waits_for_all_hosts_of_what_it_needs() -> None:
    """An edge to a step on other hosts is an all-hosts edge, and what that step covers host by host comes with it."""
    steps = [step("a"), step("b", ("a", Wait.AUTO)), step("report", ("b", Wait.AUTO))]
    web = frozenset({"web1", "web2"})
    readable = readable_results(steps, {"a": web, "b": web, "report": frozenset({"localhost"})})

    assert {"a", "b"} == readable["report"].complete
    assert set() == readable["b"].complete
    assert {"a"} == readable["b"].upstream
