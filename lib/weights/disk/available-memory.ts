import { freemem, totalmem } from 'node:os';

/** Bytes that this process may still take: a container's limit counts where it has one; Node 20.11 knows of the machine only. */
export function availableMemory(): number {
  return process.availableMemory?.() ?? freemem();
}

/** Bytes that it could ever have: the machine's, or its container's. */
export function wholeMemory(): number {
  // 0, or more than any machine has, where there is no limit.
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
