import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes `folder` the root of a disk of its own, in memory. */
export function mountDisk(folder: string, bytes: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'sd-turbo-test', folder], { stdio: 'pipe' });
}

/** Also while something is still open there. */
export function unmount(folder: string): void {
  spawnSync('umount', ['-l', folder]);
}

/** Says so once: only root of a machine, and of few containers, may mount. */
export function cannotMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'mount-'));
  try {
    mountDisk(folder, 1 << 16);
    unmount(folder);
    return false;
  } catch {
    console.warn('tests of mount points are skipped: this user may not mount');
    return true;
  } finally {
    rmdirSync(folder);
  }
}

/** Shows `source`, a file or a folder, at `target` too. */
export function mountOnto(source: string, target: string): void {
  execFileSync('mount', ['--bind', source, target]);
}
