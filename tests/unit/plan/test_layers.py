"""The nearest login wins as a whole, and nothing else is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from runner.plan.layers import IMPLICIT, nearest_logins

VALUES = {
    "credential": st.sampled_from(["named", "nameless"]),
    "certificate_thumbprint": st.just("AB"),
    "authentication": st.sampled_from(["kerberos", IMPLICIT]),
    "user_name": st.just("u"),
    "password": st.just("p"),
    "port": st.integers(1, 9),
}
LAYERS = st.lists(st.fixed_dictionaries({}, optional=VALUES), min_size=1, max_size=5)


def merged(layers: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """What is left of all layers together."""
    settings: dict[str, object] = {}
    for layer in nearest_logins(layers, lambda name: name == "named"):
        settings.update(layer)
    return settings


@given(LAYERS)
def test_what_is_nearest_stays(layers: list[dict[str, object]]) -> None:
    """Whatever the nearest layer says is said in the end, and a key that is no login is never lost."""
    settings = merged(layers)

    assert layers[-1].items() <= settings.items()
    assert ("port" in settings) == any("port" in layer for layer in layers)


@given(LAYERS)
def test_layers_never_join_two_ways_to_log_in(layers: list[dict[str, object]]) -> None:
    """Certificate, credential and ticket come from one layer where they are together: that layer's own mistake."""
    settings = merged(layers)
    ways = {
        "certificate_thumbprint": "certificate_thumbprint" in settings,
        "credential": "credential" in settings,
        "authentication": settings.get("authentication") == IMPLICIT,
    }
    together = [key for key, there in ways.items() if there]

    if len(together) > 1:
        assert any(all(key in layer for key in together) for layer in layers)


def test_a_credential_with_a_user_name_hides_farther_ones() -> None:
    """A user name of a group belongs to another login; one beside the credential or nearer stays."""
    far, named = {"user_name": "far"}, {"credential": "named"}

    assert "user_name" not in merged([far, named])
    assert merged([far, {"credential": "nameless"}])["user_name"] == "far"
    assert merged([far, {**named, "user_name": "beside"}])["user_name"] == "beside"
    assert merged([named, far])["user_name"] == "far"
