"""Answers about branches, trees, blobs and comparisons."""

from __future__ import annotations

import base64
from typing import Any

from catchment.simulators.github import bodies
from catchment.simulators.github.access import refuse
from catchment.simulators.github.git import FOLDER, LINK, SUBMODULE, Entry, differences
from catchment.simulators.github.server import MOST_ENTRIES, Call, GitHub, route
from catchment.simulators.github.world import Repository
from catchment.simulators.wire import Reply

MOST_FILES = 300
LARGE_BYTES = 1024 * 1024
LARGEST_BYTES = 100 * 1024 * 1024


@route(r"\{repo\}/branches")
def _branches(github: GitHub, call: Call) -> Reply:
    call.require("contents")
    api = f"{call.base}/repos/{call.repo.full_name}/commits"
    told = [
        {"name": name, "commit": {"sha": sha, "url": f"{api}/{sha}"}, "protected": False}
        for name, sha in sorted(call.repo.branches.items())
    ]
    return github.paged(call.request, told)


@route(r"\{repo\}/branches/(.+)")
def _branch(_github: GitHub, call: Call) -> Reply:
    call.require("contents")
    name, repo = call.words[0], call.repo
    sha = repo.branches.get(name)
    if sha is None:
        raise refuse(404, "Branch not found")
    api = f"{call.base}/repos/{repo.full_name}/branches/{name}"
    told = {
        "name": name,
        "commit": bodies.commit(call.base, repo, repo.git.commits[sha]),
        "_links": {"self": api, "html": f"{bodies.WEB}/{repo.full_name}/tree/{name}"},
        "protected": False,
        "protection": {"enabled": False},
        "protection_url": f"{api}/protection",
    }
    return Reply(200, told)


@route(r"\{repo\}/git/trees/(.+)")
def _tree(github: GitHub, call: Call) -> Reply:
    call.require("contents")
    repo, wanted = call.repo, call.words[0]
    if not repo.branches:
        raise refuse(409, "Git Repository is empty.")
    sha = repo.branches.get(wanted, wanted)
    tree = repo.git.commits[sha].tree if sha in repo.git.commits else sha
    if tree not in repo.git.trees:
        raise refuse(404, "Not Found")
    recursive = "recursive" in call.request.query
    found = list(repo.git.walk(tree)) if recursive else list(repo.git.trees[tree].items())
    most = github.most_entries if recursive else MOST_ENTRIES
    api = f"{call.base}/repos/{repo.full_name}/git"
    told = {
        "sha": tree,
        "url": f"{api}/trees/{tree}",
        "tree": [_entry(api, repo, path, entry) for path, entry in found[:most]],
        "truncated": len(found) > most,
    }
    return Reply(200, told)


def _entry(api: str, repo: Repository, path: str, entry: Entry) -> Any:
    told: dict[str, Any] = {"path": path, "mode": entry.mode, "type": entry.type, "sha": entry.sha}
    if entry.mode == SUBMODULE:
        return told
    if entry.mode != FOLDER:
        told["size"] = len(repo.git.blobs[entry.sha])
    told["url"] = f"{api}/{'trees' if entry.mode == FOLDER else 'blobs'}/{entry.sha}"
    return told


@route(r"\{repo\}/git/blobs/(\w+)")
def _blob(_github: GitHub, call: Call) -> Reply:
    call.require("contents")
    sha = call.words[0]
    content = call.repo.git.blobs.get(sha)
    if content is None:
        raise refuse(404, "Not Found")
    if len(content) > LARGEST_BYTES:
        problem = {"resource": "Blob", "field": "data", "code": "too_large"}
        raise refuse(403, "The requested blob is too large to fetch via the API.", errors=[problem])
    if "raw" in call.request.headers.get("accept", ""):
        return Reply(200, content, {"Content-Type": "application/vnd.github.raw+json; charset=utf-8"})
    told = {
        "sha": sha,
        "node_id": f"B_{sha}",
        "size": len(content),
        "url": f"{call.base}/repos/{call.repo.full_name}/git/blobs/{sha}",
        "content": base64.encodebytes(content).decode(),
        "encoding": "base64",
    }
    return Reply(200, told)


@route(r"\{repo\}/tarball/(.+)")
def _tarball(github: GitHub, call: Call) -> Reply:
    """Lead to where archives are packed, with a token of its own that ends soon."""
    call.require("contents")
    repo, wanted = call.repo, call.words[0]
    sha = repo.branches.get(wanted, wanted)
    if sha not in repo.git.commits:
        raise refuse(404, "Not Found")
    # Another host in the world; here it is the same one under another name.
    host = call.base.replace("127.0.0.1", "localhost")
    path = f"/codeload/{repo.id}/legacy.tar.gz/{sha}"
    return Reply(302, None, {"Location": f"{host}{path}?token={github.pass_for(path)}"})


@route(r"\{repo\}/contents/(.+)")
def _contents(_github: GitHub, call: Call) -> Reply:
    call.require("contents")
    repo, path = call.repo, call.words[0]
    files = repo.files(call.request.query.get("ref"))
    api = f"{call.base}/repos/{repo.full_name}"
    entry = files.get(path)
    if entry is None:
        inside = [name for name in files if name.startswith(f"{path}/")]
        if not inside:
            raise refuse(404, "Not Found")
        return Reply(200, [_content(api, repo, name, files[name]) for name in inside[:1000]])
    told = _content(api, repo, path, entry)
    if entry.mode not in (SUBMODULE, LINK):
        content = repo.git.blobs[entry.sha]
        small = len(content) <= LARGE_BYTES
        told["content"] = base64.encodebytes(content).decode() if small else ""
        told["encoding"] = "base64" if small else "none"
    return Reply(200, told)


def _content(api: str, repo: Repository, path: str, entry: Entry) -> Any:
    kinds = {SUBMODULE: "submodule", LINK: "symlink"}
    web = f"{bodies.WEB}/{repo.full_name}/blob/{repo.default_branch}/{path}"
    links = {"self": f"{api}/contents/{path}", "git": f"{api}/git/blobs/{entry.sha}", "html": web}
    told = {
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": entry.sha,
        "size": len(repo.git.blobs.get(entry.sha, b"")),
        "type": kinds.get(entry.mode, "file"),
        "url": links["self"],
        "html_url": web,
        "git_url": links["git"],
        "download_url": None,
        "_links": links,
    }
    if entry.mode == LINK:
        told["target"] = repo.git.blobs[entry.sha].decode()
    if entry.mode == SUBMODULE:
        told["submodule_git_url"] = "https://example.com/other.git"
    return told


@route(r"\{repo\}/compare/(.+)\.\.\.(.+)")
def _compare(github: GitHub, call: Call) -> Reply:
    call.require("contents")
    repo = call.repo
    base, head = (repo.branches.get(word, word) for word in call.words)
    if base not in repo.git.commits or head not in repo.git.commits:
        raise refuse(404, "Not Found")
    common = repo.git.merge_base(base, head)
    if common is None:
        raise refuse(404, "No common ancestor between the two commits.")
    ahead = repo.git.ancestors(head) - repo.git.ancestors(base)
    behind = repo.git.ancestors(base) - repo.git.ancestors(head)
    status = {(0, 0): "identical", (1, 0): "ahead", (0, 1): "behind"}.get(
        (bool(ahead), bool(behind)), "diverged"
    )
    commits = sorted(
        (repo.git.commits[sha] for sha in ahead), key=lambda one: len(repo.git.ancestors(one.sha))
    )
    page = github.paged(call.request, commits, show=lambda one: bodies.commit(call.base, repo, one))
    web = f"{bodies.WEB}/{repo.full_name}/compare/{base}...{head}"
    told = {
        "url": f"{call.base}/repos/{repo.full_name}/compare/{base}...{head}",
        "html_url": web,
        "permalink_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        "base_commit": bodies.commit(call.base, repo, repo.git.commits[base]),
        "merge_base_commit": bodies.commit(call.base, repo, repo.git.commits[common]),
        "status": status,
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": page.body,
    }
    if call.request.query.get("page", "1") == "1":
        found = differences(repo.git.commits[common].files, repo.git.commits[head].files)
        told["files"] = [_difference(call, head, one) for one in found[:MOST_FILES]]
    return Reply(200, told, page.headers)


def _difference(call: Call, head: str, one: dict[str, str]) -> Any:
    web, api = f"{bodies.WEB}/{call.repo.full_name}", f"{call.base}/repos/{call.repo.full_name}"
    name = one["filename"]
    return {
        **one,
        "additions": 1,
        "deletions": 0,
        "changes": 1,
        "blob_url": f"{web}/blob/{head}/{name}",
        "raw_url": f"{web}/raw/{head}/{name}",
        "contents_url": f"{api}/contents/{name}?ref={head}",
    }
