import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../reference.js';

/** A Python that has a package: that of `.venv`, or of PATH; undefined where neither has it. */
export function findPython(module: string): string | undefined {
  const candidates = [join(ROOT, '.venv/bin/python'), 'python3'].filter(
    (path) => !path.includes('/') || existsSync(path),
  );
  return candidates.find((python) => spawnSync(python, ['-c', `import ${module}`]).status === 0);
}
