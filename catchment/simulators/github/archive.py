"""The archive of a commit, as ``git archive`` packs it: without what the attributes leave out."""

from __future__ import annotations

import io
import tarfile
from fnmatch import fnmatch

from catchment.simulators.github.git import FOLDER, LINK, SUBMODULE, Git

_ATTRIBUTES = ".gitattributes"


def packed(git: Git, commit: str, head: str) -> bytes:
    """Return the files of a commit as a packed archive, all below one folder.

    Args:
        git: The repository.
        commit: Hash of the commit, which stands in the archive, too.
        head: Name of the folder.
    """
    files = git.commits[commit].files
    told = git.blobs[files[_ATTRIBUTES].sha].decode() if _ATTRIBUTES in files else ""
    kept_out = [line.split()[0] for line in told.splitlines() if line.endswith(" export-ignore")]
    rewritten = [line.split()[0] for line in told.splitlines() if line.endswith(" export-subst")]
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT, pax_headers={"comment": commit}
    ) as made:
        made.addfile(_folder(head))
        for path, entry in git.walk(git.commits[commit].tree):
            if any(fnmatch(path, pattern) for pattern in kept_out):
                continue
            member = tarfile.TarInfo(f"{head}/{path}")
            if entry.mode in (FOLDER, SUBMODULE):
                made.addfile(_folder(member.name))
            elif entry.mode == LINK:
                member.type, member.linkname = tarfile.SYMTYPE, git.blobs[entry.sha].decode()
                made.addfile(member)
            else:
                body = git.blobs[entry.sha]
                if any(fnmatch(path, pattern) for pattern in rewritten):
                    body = body.replace(b"$Format:%H$", commit.encode())
                member.size = len(body)
                made.addfile(member, io.BytesIO(body))
    return buffer.getvalue()


def _folder(name: str) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = tarfile.DIRTYPE
    return made
