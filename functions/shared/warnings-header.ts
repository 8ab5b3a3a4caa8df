/**
 * What an answer of bytes alone says besides them: the `warnings` of an answer in JSON, as a JSON array whose characters
 * are all ASCII. None where there are none.
 */
export function warningsHeader(warnings: readonly string[] = []): { 'x-warnings'?: string } {
  if (warnings.length === 0) return {};
  const toAscii = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return { 'x-warnings': JSON.stringify(warnings).replaceAll(/[^\x20-\x7e]/g, toAscii) };
}
