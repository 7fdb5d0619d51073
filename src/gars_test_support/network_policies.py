"""Decisions of NetworkPolicies about connections, by the rules of networking.k8s.io/v1. Nothing here asks a cluster.

Of the rules, ``ipBlock`` and ranges of ports are not supported: they raise ``NotImplementedError``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Policy = Mapping[str, Any]
"""A NetworkPolicy as JSON."""


@dataclass(frozen=True)
class Peer:
    """A pod that connects or is connected to; ``ports`` gives the numbers of its named ports."""

    labels: Mapping[str, str]
    namespace: str
    namespace_labels: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)


def allows(policies: Iterable[Policy], source: Peer, target: Peer, port: int) -> bool:
    """Return true if ``source`` may open a TCP connection to a port of ``target``: egress and ingress must allow it."""
    chosen = list(policies)
    return _direction_allows(chosen, "Egress", source, target, target, port) and _direction_allows(
        chosen, "Ingress", target, source, target, port
    )


def _direction_allows(
    policies: list[Policy], direction: str, subject: Peer, other: Peer, target: Peer, port: int
) -> bool:
    """Return true if no policy of this direction selects the subject, or a rule of one that does allows the other."""
    selecting = [
        policy
        for policy in policies
        if direction in _directions(policy["spec"])
        and policy["metadata"]["namespace"] == subject.namespace
        and selects(policy["spec"].get("podSelector", {}), subject.labels)
    ]
    rules = [(policy, rule) for policy in selecting for rule in policy["spec"].get(direction.lower(), [])]
    peers = "from" if direction == "Ingress" else "to"
    return not selecting or any(
        (not rule.get(peers) or any(_is_peer(one, other, policy["metadata"]["namespace"]) for one in rule[peers]))
        and (not rule.get("ports") or any(_is_port(one, target, port) for one in rule["ports"]))
        for policy, rule in rules
    )


def _directions(spec: Mapping[str, Any]) -> list[str]:
    """Return the directions of a policy; by default ingress, and egress where it has rules for it."""
    given: list[str] = spec.get("policyTypes") or ["Ingress", *(["Egress"] if "egress" in spec else [])]
    return given


def _is_peer(rule: Mapping[str, Any], peer: Peer, namespace: str) -> bool:
    if "ipBlock" in rule:
        raise NotImplementedError("ipBlock")
    if "namespaceSelector" in rule:
        inside = selects(rule["namespaceSelector"], peer.namespace_labels)
    else:
        inside = peer.namespace == namespace
    return inside and selects(rule.get("podSelector", {}), peer.labels)


def _is_port(rule: Mapping[str, Any], target: Peer, port: int) -> bool:
    if "endPort" in rule:
        raise NotImplementedError("endPort")
    if rule.get("protocol", "TCP") != "TCP":
        return False
    number = rule.get("port", port)
    return bool(port == (target.ports.get(number) if isinstance(number, str) else number))


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Return true if a label selector matches; an empty one matches everything."""
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        _matches(one["operator"], labels.get(one["key"]), one.get("values", []))
        for one in selector.get("matchExpressions", [])
    )


def _matches(operator: str, value: str | None, values: list[str]) -> bool:
    match operator:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    raise ValueError(f"no operator of label selectors: {operator}")
