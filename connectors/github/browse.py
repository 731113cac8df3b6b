"""What a person can choose from: repositories, and the branches of one."""

from __future__ import annotations

from catchment.kit import BrowsePage, Resource
from connectors.github.client import Client, Repository, query


def browse(client: Client, parent: str | None, page: str | None) -> BrowsePage:
    """Return repositories, or the branches of one, a page at a time; ids are what the setting repos takes.

    Raises:
        SourceError: GitHub cannot be asked.
    """
    number = page if page is not None and page.isdecimal() else "1"
    if parent is None:
        wrap = "repositories" if client.is_app else None
        path = client.repositories_path
        found = client.page(query(path, page=number), wrap=wrap)
        repositories = [Repository.of(raw) for raw in found.rows]
        resources = [Resource(one.name, one.name, "repository", has_children=True) for one in repositories]
    else:
        name = parent.partition("@")[0]
        if parent != name:
            return BrowsePage()
        repository = client.repository_named(name)
        found = client.page(query(f"{repository.api}/branches", page=number))
        resources = [Resource(f"{name}@{raw['name']}", str(raw["name"]), "branch") for raw in found.rows]
    return BrowsePage(resources, next_page=str(int(number) + 1) if found.next is not None else None)
