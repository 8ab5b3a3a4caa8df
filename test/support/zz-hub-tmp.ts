import { startHuggingFaceServer } from '/work/main/test/support/hugging-face-server.js';
import { writeFileSync } from 'node:fs';
const s = await startHuggingFaceServer({ repo: 'stabilityai/sd-turbo', folder: '/opt/ref/sd-turbo-random' });
writeFileSync('/tmp/mem/endpoint', s.endpoint);
