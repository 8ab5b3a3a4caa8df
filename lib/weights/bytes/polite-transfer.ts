import { type Attempt, type TransferPolicy, transfer } from './transfer.js';

/** As `transfer`, but no attempt begins before the time that the server has asked to wait. */
export async function politeTransfer<T>(
  server: { holdOff?(): number },
  name: string,
  policy: TransferPolicy,
  signal: AbortSignal,
  attempt: Attempt<T>,
): Promise<T> {
  const holdOff = () => server.holdOff?.() ?? 0;
  const sleep: TransferPolicy['sleep'] = (ms, stop) => policy.sleep(Math.max(ms, holdOff()), stop);
  if (holdOff() > 0) await sleep(0, signal);
  return transfer(name, { ...policy, sleep }, signal, attempt);
}
