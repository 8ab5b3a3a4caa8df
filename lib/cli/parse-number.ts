/** The number an option spells, or the text itself for the schema to refuse by name. */
export function parseNumber(text: string): number | string {
  return /^-?(\d+(\.\d+)?|\.\d+)$/.test(text) ? Number(text) : text;
}
