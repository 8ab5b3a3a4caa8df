import * as z from 'zod';

/** Stands for every origin. */
export const ANY_ORIGIN = '*';

const EXAMPLE = 'https://app.example.com';

/** Origins separated by commas, or an array of them; each once. */
export const corsOriginsSchema = corsOrigins(() => false);

/** @param isLate whether an origin is known later, and left as it is */
export function corsOrigins(isLate: (text: string) => boolean) {
  return z.preprocess(
    (value) => (typeof value === 'string' ? value.split(',').map((item) => item.trim()) : value),
    z
      .array(corsOrigin(isLate), {
        error: 'must be origins such as https://app.example.com, separated by commas',
      })
      .min(1, { error: 'must be one origin at least' })
      .transform((origins) => [...new Set(origins)]),
  );
}

/** An origin as browsers send it in `Origin`: in lower case, and with its port where that is not the scheme's own. */
function corsOrigin(isLate: (text: string) => boolean) {
  return z.string({ error: 'must be a string' }).transform((text, context) => {
    if (isLate(text)) return text;
    const problem = originProblem(text);
    if (problem === undefined) return text === ANY_ORIGIN ? text : new URL(text).origin;
    context.issues.push({ code: 'custom', input: text, message: problem });
    return z.NEVER;
  });
}

/** What keeps a text from being an origin. Source: RFC 6454. */
function originProblem(text: string): string | undefined {
  if (text === ANY_ORIGIN) return undefined;
  if (text.includes('*')) return `${text} is no origin: name each, or ${ANY_ORIGIN} alone for any`;
  // Not repeated: it may be a secret.
  if (text.includes('@')) return `must have no user or password, as ${EXAMPLE}`;
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text))
    return `${text || 'nothing'} is no origin: it must have a scheme and a host, and a port where there is one, as ${EXAMPLE}`;
  const { origin, pathname } = new URL(text);
  if (pathname === '/' && /[^/?#]$/.test(text) && !/[?#]/.test(text)) return undefined;
  return `${text} is no origin: it must end before its path, as ${origin}`;
}
