"""From bytes to text, structure and chunks: the only place that knows file formats.

`process.ParserProcess` is what the rest of the program uses: it parses in a child process that can be
killed. `document.parse_document` is what that child calls for each body.
"""
