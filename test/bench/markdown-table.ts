/** Rows of cells as a Markdown table; the first row has the titles, the first column is text, the others numbers. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [titles = [], ...rest] = rows;
  const rule = titles.map((_, column) => (column === 0 ? '---' : '---:'));
  return [titles, rule, ...rest].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
