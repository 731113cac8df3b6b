"""Public tools that keep an index in line with a folder, each used as its manual shows it.

They live in an environment of their own (`pip install -r benchmarks/peers.txt`), so this file imports
nothing but the standard library and the peer at hand. Every peer reads the files as text, cuts them into
chunks of about 1,000 characters where it can cut, keeps them locally, and embeds nothing.

    python -m benchmarks.peers NAME FOLDER WORK

A job prints its seconds, taken inside with the peer's imports, and leaves `tokens.json` in WORK: the path and
the token of everything that the peer's store holds, for the token check.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.words import TOKEN

Stored = Iterator[tuple[str, str]]
"""Path and text of each chunk or document in a peer's store."""

_CHUNK_CHARACTERS = 1_000


def cocoindex(source: Path, work: Path) -> Stored:
    """CocoIndex: memoised function per file, recursive splitter, rows in SQLite."""
    coco = importlib.import_module("cocoindex")
    localfs = importlib.import_module("cocoindex.connectors.localfs")
    lite = importlib.import_module("cocoindex.connectors.sqlite")
    split = importlib.import_module("cocoindex.ops.text").RecursiveSplitter().split
    os.environ["COCOINDEX_DB"] = str(work / "state")
    key = coco.ContextKey("store")

    @coco.lifespan  # type: ignore[untyped-decorator, unused-ignore]
    async def surroundings(builder: Any) -> Any:
        builder.provide_with(key, lite.managed_connection(work / "rows.db", load_vec=False))
        yield

    @coco.fn(memo=True)  # type: ignore[untyped-decorator, unused-ignore]
    async def one(file: Any, table: Any) -> None:
        path = file.file_path.path.as_posix()
        chunks = split(await file.read_text(), _CHUNK_CHARACTERS)
        for number, chunk in enumerate(chunks):
            table.declare_row(row=_Row(f"{path}#{number}", path, chunk.text))

    @coco.fn  # type: ignore[untyped-decorator, unused-ignore]
    async def everything() -> None:
        schema = await lite.TableSchema.from_class(_Row, primary_key=["id"])
        table = await lite.mount_table_target(key, "chunks", schema)
        await coco.mount_each(one, localfs.walk_dir(source, recursive=True).items(), table)

    coco.App("bench", everything).update_blocking()
    return _rows(work / "rows.db", "SELECT path, text FROM chunks")


@dataclass
class _Row:
    id: str
    path: str
    text: str


def haystack(source: Path, _: Path) -> Stored:
    """Haystack: converter, splitter and writer in a pipeline, documents in memory with BM25."""
    core = importlib.import_module("haystack")
    converters = importlib.import_module("haystack.components.converters")
    preprocessors = importlib.import_module("haystack.components.preprocessors")
    writers = importlib.import_module("haystack.components.writers")
    stores = importlib.import_module("haystack.document_stores.in_memory")
    store = stores.InMemoryDocumentStore()
    pipeline = core.Pipeline()
    pipeline.add_component("read", converters.TextFileToDocument(store_full_path=True))
    pipeline.add_component("cut", preprocessors.DocumentSplitter(split_by="word", split_length=150))
    pipeline.add_component("write", writers.DocumentWriter(store))
    pipeline.connect("read", "cut")
    pipeline.connect("cut", "write")
    pipeline.run({"read": {"sources": _files(source)}})
    return ((document.meta["file_path"], document.content) for document in store.filter_documents())


def langchain(source: Path, work: Path) -> Stored:
    """LangChain: recursive splitter, `index()` with its records in SQLite, vectors that mean nothing."""
    api = importlib.import_module("langchain_core.indexing")
    document = importlib.import_module("langchain_core.documents").Document
    splitters = importlib.import_module("langchain_text_splitters")
    managers = importlib.import_module("langchain_classic.indexes")
    vectors = importlib.import_module("langchain_core.vectorstores")
    fakes = importlib.import_module("langchain_core.embeddings")
    store = vectors.InMemoryVectorStore(fakes.DeterministicFakeEmbedding(size=4))
    records = managers.SQLRecordManager("bench", db_url=f"sqlite:///{work / 'records.db'}")
    records.create_schema()
    splitter = splitters.RecursiveCharacterTextSplitter(chunk_size=_CHUNK_CHARACTERS, chunk_overlap=0)
    documents = [
        document(page_content=file.read_text(encoding="utf-8"), metadata={"source": str(file)})
        for file in _files(source)
    ]
    api.index(
        splitter.split_documents(documents),
        records,
        store,
        cleanup="full",
        source_id_key="source",
        key_encoder="sha256",
    )
    return ((entry["metadata"]["source"], entry["text"]) for entry in store.store.values())


def llama_index(source: Path, _: Path) -> Stored:
    """LlamaIndex: ingestion pipeline with token splitter and document store, nodes in memory."""
    ingestion = importlib.import_module("llama_index.core.ingestion")
    parser = importlib.import_module("llama_index.core.node_parser")
    schema = importlib.import_module("llama_index.core.schema")
    docstore = importlib.import_module("llama_index.core.storage.docstore").SimpleDocumentStore()
    splitter = parser.TokenTextSplitter(chunk_size=250, chunk_overlap=0, tokenizer=str.split)
    documents = [
        schema.Document(text=file.read_text(encoding="utf-8"), id_=str(file)) for file in _files(source)
    ]
    nodes = ingestion.IngestionPipeline(transformations=[splitter], docstore=docstore).run(
        documents=documents
    )
    return ((node.ref_doc_id, node.text) for node in nodes)


def dlt(source: Path, work: Path) -> Stored:
    """Dlt: a resource of texts merged by path into DuckDB; it does not cut into chunks."""
    api = importlib.import_module("dlt")
    duckdb = importlib.import_module("duckdb")
    database = str(work / "rows.duckdb")

    def texts() -> Iterator[dict[str, str]]:
        for file in _files(source):
            yield {"path": str(file), "text": file.read_text(encoding="utf-8")}

    resource = api.resource(texts, name="texts", write_disposition="merge", primary_key="path")
    pipeline = api.pipeline(
        "bench",
        pipelines_dir=str(work / "pipelines"),
        destination=api.destinations.duckdb(database),
        dataset_name="bench",
    )
    pipeline.run(resource())
    with duckdb.connect(database, read_only=True) as db:
        return iter(db.execute("SELECT path, text FROM bench.texts").fetchall())


PEERS: dict[str, tuple[str, Callable[[Path, Path], Stored]]] = {
    "cocoindex": ("cocoindex", cocoindex),
    "haystack": ("haystack-ai", haystack),
    "langchain index()": ("langchain-classic", langchain),
    "dlt": ("dlt", dlt),
    "llama-index": ("llama-index-core", llama_index),
}


def _files(source: Path) -> list[Path]:
    return sorted(path for path in source.rglob("*") if path.is_file())


def _rows(database: Path, query: str) -> Stored:
    with closing(sqlite3.connect(database)) as db:
        return iter(db.execute(query).fetchall())


def _versions() -> dict[str, str]:
    found = {}
    for name, (distribution, _) in PEERS.items():
        try:
            found[name] = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def main() -> None:
    """Run one peer, or print which are installed when no folder is named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=[*PEERS, "installed"])
    parser.add_argument("source", type=Path, nargs="?")
    parser.add_argument("work", type=Path, nargs="?")
    given = parser.parse_args()
    if given.name == "installed":
        print(json.dumps(_versions()))
        return
    start = time.perf_counter()
    stored = PEERS[given.name][1](given.source, given.work)
    seconds = time.perf_counter() - start
    root = given.source
    found = [
        [Path(path).relative_to(root).as_posix() if Path(path).is_absolute() else path, token]
        for path, text in stored
        for token in TOKEN.findall(text)
    ]
    (given.work / "tokens.json").write_text(json.dumps(found), encoding="utf-8")
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main()
