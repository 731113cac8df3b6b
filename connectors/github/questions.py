"""What is asked about discussions, in GraphQL; the same facts everywhere, so that versions are equal."""

from __future__ import annotations

_FACTS = """
fragment facts on Discussion {
  id number title url createdAt updatedAt closed isAnswered
  category { name } author { login } labels(first: 20) { nodes { name } } comments { totalCount }
  repository { databaseId }
}"""
_WORDS = """
fragment words on DiscussionComment { id author { login } body createdAt deletedAt isAnswer }"""
LIST = f"""
query($owner: String!, $name: String!, $first: Int!, $after: String, $order: DiscussionOrder!) {{
  repository(owner: $owner, name: $name) {{
    hasDiscussionsEnabled
    discussions(first: $first, after: $after, orderBy: $order) {{
      totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ ...facts }}
    }}
  }}
}}{_FACTS}"""
WHOLES = f"""
query(
  $owner: String!, $name: String!, $first: Int!, $said: Int!, $replies: Int!, $after: String,
  $order: DiscussionOrder!
) {{
  repository(owner: $owner, name: $name) {{
    hasDiscussionsEnabled
    discussions(first: $first, after: $after, orderBy: $order) {{
      totalCount pageInfo {{ hasNextPage endCursor }}
      nodes {{
        ...facts
        body
        said: comments(first: $said) {{
          pageInfo {{ hasNextPage endCursor }}
          nodes {{
            ...words
            replies(first: $replies) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ ...words }} }}
          }}
        }}
      }}
    }}
  }}
}}{_FACTS}{_WORDS}"""
ONE = f"""
query($owner: String!, $name: String!, $number: Int!) {{
  repository(owner: $owner, name: $name) {{ discussion(number: $number) {{ ...facts }} }}
}}{_FACTS}"""
NODES = f"""
query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ...facts }} }}{_FACTS}"""
WHOLE = f"""
query($id: ID!, $first: Int!, $replies: Int!, $after: String) {{
  node(id: $id) {{
    ...facts
    ... on Discussion {{
      body
      said: comments(first: $first, after: $after) {{
        pageInfo {{ hasNextPage endCursor }}
        nodes {{
          ...words
          replies(first: $replies) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ ...words }} }}
        }}
      }}
    }}
  }}
}}{_FACTS}{_WORDS}"""
REST = f"""
query($id: ID!, $first: Int!, $after: String) {{
  node(id: $id) {{
    ... on DiscussionComment {{
      replies(first: $first, after: $after) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ ...words }} }}
    }}
  }}
}}{_WORDS}"""
