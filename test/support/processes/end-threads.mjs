// Loaded into a process and its threads (`node --import`): every thread but the first ends when there is a file THREADS_END.

import { existsSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const LOOK_MS = 20;
const file = process.env.THREADS_END ?? '';
if (!isMainThread) setInterval(() => existsSync(file) && process.exit(1), LOOK_MS).unref();
