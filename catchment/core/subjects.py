"""Whom the access lists of sources name, written in one way on both sides: in the lists, and for readers.

Addresses of mail and names of domains are alike whatever their case; other names are taken as they are.
"""

from __future__ import annotations

from collections.abc import Iterable

Subject = tuple[str, str]
"""Kind (``user``, ``group``, ``team`` or ``domain``) and name."""
KINDS = ("user", "group", "team", "domain")


def normal(kind: str, name: str) -> Subject:
    """Return a subject as it is compared."""
    name = name.strip()
    if kind == "domain":
        return kind, name.removeprefix("@").lower()
    return kind, name.lower() if "@" in name else name


def domain_of(email: str) -> str:
    """Return the domain of an address of mail; empty where the text is none."""
    name, at, domain = email.strip().lower().rpartition("@")
    is_address = at and name and "." in domain and not any(sign.isspace() or sign == "@" for sign in name)
    return domain if is_address and not any(sign.isspace() for sign in domain) else ""


def with_domains(subjects: Iterable[Subject]) -> tuple[Subject, ...]:
    """Return subjects, and the domains of those users that are addresses of mail."""
    known = list(subjects)
    domains = [("domain", domain) for kind, name in known if kind == "user" and (domain := domain_of(name))]
    return tuple(dict.fromkeys([*known, *domains]))
