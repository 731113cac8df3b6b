"""The Trove face: GraphQL, and the push of documents in batches."""
