"""Whom access lists name, compared in one way."""

from __future__ import annotations

import pytest

from catchment.core.subjects import domain_of, normal, with_domains


@pytest.mark.parametrize(
    ("kind", "name", "compared"),
    [
        ("user", " Ann@Example.ORG ", "ann@example.org"),
        ("group", "Eng@Example.org", "eng@example.org"),
        ("domain", "@Example.org", "example.org"),
        ("team", "Acme/Eng", "Acme/Eng"),
        ("user", "U0G9QF9C6", "U0G9QF9C6"),
    ],
)
def test_addresses_are_alike_in_any_case_and_names_are_not(kind: str, name: str, compared: str) -> None:
    """Mail and domains know no case; the ids and names of a source may."""
    assert normal(kind, name) == (kind, compared)


@pytest.mark.parametrize(
    "text", ["ann", "@example.org", "ann@", "ann@host", "a b@example.org", "a@b@example.org", ""]
)
def test_what_is_no_address_has_no_domain(text: str) -> None:
    """A name that only looks a little like one opens no documents of a domain."""
    assert domain_of(text) == ""
    assert with_domains([("user", text)]) == (("user", text),)


def test_a_user_reads_what_its_domain_may() -> None:
    """A group with an address is no member of its domain."""
    subjects = [("user", "ann@example.org"), ("user", "bob@example.org"), ("group", "eng@other.org")]
    assert with_domains(subjects) == (*subjects, ("domain", "example.org"))
