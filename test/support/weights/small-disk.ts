import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BLOCK = 4_096;

/** A disk of a few megabytes, so that it can be full. It takes root on Linux. */
export class SmallDisk {
  /** Where it is mounted. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** @returns undefined where this process may not mount one */
  static mount(megabytes: number): SmallDisk | undefined {
    const path = mkdtempSync(join(tmpdir(), 'disk-'));
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'none', path]);
    if (status === 0) return new SmallDisk(path);
    rmSync(path, { recursive: true });
    return undefined;
  }

  /** Writes until nothing more can be written. */
  fill(): void {
    const file = openSync(join(this.path, 'filler'), 'a');
    try {
      for (;;) writeSync(file, Buffer.alloc(BLOCK, 1));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(join(this.path, 'filler'), { force: true });
  }

  allowWrites(isAllowed: boolean): void {
    const { status, stderr } = spawnSync('mount', ['-o', `remount,${isAllowed ? 'rw' : 'ro'}`, this.path]);
    if (status !== 0) throw new Error(String(stderr));
  }

  unmount(): void {
    spawnSync('umount', ['-l', this.path]);
    rmSync(this.path, { recursive: true });
  }
}
