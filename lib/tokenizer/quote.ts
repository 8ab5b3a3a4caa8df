/** Text of a file for a message: one line, and not long. */
export function quote(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
