"""Merge the words of SQLite's index less often: by 48 at a time, not by 8.

Each merge writes all words of what it merges once more, a fifth of the time that a first load spends on its
index. A search looks at up to 48 segments of a kind then, which costs it some hundredths. A level that merging
cannot keep up with is merged at one stroke at 128, so that no writer meets a long merge before.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    op.execute("INSERT INTO chunks_fts (chunks_fts, rank) VALUES ('automerge', 48)")
    op.execute("INSERT INTO chunks_fts (chunks_fts, rank) VALUES ('crisismerge', 128)")
