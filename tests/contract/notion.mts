// The pages that a sample in TypeScript takes for granted: 120, the last one without a word in it.

type Page = { id: string; title: string; content: string; author: string; lastEdited: string; tags: string[] };

export async function fetchNotionPages(): Promise<Page[]> {
  return Array.from({ length: 120 }, (_, number) => ({
    id: `page-${number}`,
    title: `Page ${number}`,
    content: number === 119 ? " " : `The words of page ${number}`,
    author: "Jane Smith",
    lastEdited: "2026-03-20T10:00:00Z",
    tags: ["meetings"],
  }));
}
