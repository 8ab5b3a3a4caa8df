/** The end of a help text: a line that can be pasted into a shell. */
export function example(args: string): string {
  return `\nExample:\n  npx sd-turbo ${args}`;
}
