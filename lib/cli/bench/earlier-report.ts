import { createReadStream } from 'node:fs';
import * as z from 'zod';
import { AppError } from '../../errors/app-error.js';
import { parseJson } from '../../weights/bytes/parse-json.js';
import { readBounded } from '../../weights/bytes/read-bounded.js';
import { COLD_PHASES, WARM_PHASES } from './bench-report.js';

/** A report has some 4 kB. */
const MAX_REPORT_BYTES = 1024 * 1024;

const MISSING_CODES: readonly unknown[] = ['ENOENT', 'ENOTDIR'];

const text = z.string().max(512);
const milliseconds = z.object({ p50: z.number().min(0) });
const phases = <P extends string>(names: readonly P[]) =>
  z.object(Object.fromEntries(names.map((name) => [name, milliseconds])) as Record<P, typeof milliseconds>);

/** What of a report is compared; the rest is not looked at. */
const reportSchema = z.object({
  model: text,
  provider: text,
  decoder: text,
  steps: z.int().min(1),
  machine: text,
  node: text,
  cold: phases(COLD_PHASES),
  warm: phases(WARM_PHASES),
});

export type EarlierReport = z.infer<typeof reportSchema>;

/**
 * What `bench --json` has written to a file.
 *
 * @throws AppError NOT_FOUND, or INVALID_FILE, which names the first field that is wrong
 */
export async function readReport(path: string): Promise<EarlierReport> {
  const bytes = await readBounded(createReadStream(path), MAX_REPORT_BYTES, path).catch((cause) => {
    if (cause instanceof AppError) throw cause;
    const [code, why] = MISSING_CODES.includes(cause.code)
      ? (['NOT_FOUND', 'there is no such file'] as const)
      : (['INVALID_FILE', cause.message] as const);
    throw new AppError(code, `${path}: ${why}`, { cause });
  });
  const { data, error } = reportSchema.safeParse(parseJson(bytes, path));
  if (data) return data;
  const issue = error.issues[0];
  const field = issue?.path.join('.') || 'the document';
  throw new AppError('INVALID_FILE', `${path} is no report of bench --json: ${field}: ${issue?.message}`, {
    cause: error,
  });
}
