import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../reference.js';

/** A Python that has a package: one of `.venv`, `.venv-deploy`, or of PATH; undefined where none has it. */
export function findPython(module: string): string | undefined {
  const candidates = [
    join(ROOT, '.venv/bin/python'),
    join(ROOT, '.venv-deploy/bin/python'),
    'python3',
  ].filter((path) => !path.includes('/') || existsSync(path));
  return candidates.find((python) => spawnSync(python, ['-c', `import ${module}`]).status === 0);
}
