// Runs an image of buildah's store as `docker run --network host IMAGE ARGS` would, where no container engine
// runs: its entrypoint, environment, user and folder, in a fresh copy of its files. As root. Signals are handed
// on to the entrypoint, whose exit status is this program's.
//
//   node test/container/run-image.mjs [--env NAME=VALUE]... [--user UID:GID] IMAGE [ARGS...]
//
// `buildah run` will not do: it kills the process where a container engine sends SIGTERM.

import { execFileSync, spawn } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  options: { env: { type: 'string', multiple: true }, user: { type: 'string' } },
  allowPositionals: true,
});
const [image, ...args] = positionals;
if (!image) throw new Error('usage: run-image.mjs [--env NAME=VALUE]... [--user UID:GID] IMAGE [ARGS...]');

/** @param {string[]} args */
const buildah = (...args) => execFileSync('buildah', args, { encoding: 'utf8', maxBuffer: 2 ** 26 }).trim();

// Each step replaces the one before it, so that the child's process id is the entrypoint's.
const ENTER = `
  mount -t proc proc "$1/proc"
  mount --rbind /dev "$1/dev"
  cp -L /etc/resolv.conf /etc/hosts "$1/etc/"
  exec chroot --groups= --userspec="$2" "$1" env -i --chdir="$3" "\${@:4}"
`;

/** @param {import('node:child_process').ChildProcess} child */
const exitStatus = (child) =>
  new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? `killed by ${signal}`));
  });

const { config } = JSON.parse(buildah('inspect', '--type', 'image', image)).OCIv1;
const container = buildah('from', '--pull-never', image);
try {
  const environment = [...(config.Env ?? []), 'HOME=/root', ...(values.env ?? [])];
  const user = values.user ?? config.User ?? '';
  const command = [...environment, ...config.Entrypoint, ...args];
  const enter = [
    '--mount',
    'bash',
    '-ec',
    ENTER,
    'bash',
    buildah('mount', container),
    user.replace(/^root$/, '0:0') || '0:0',
  ];
  const child = spawn('unshare', [...enter, config.WorkingDir || '/', ...command], { stdio: 'inherit' });
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT']))
    process.on(signal, () => child.kill(signal));
  const status = await exitStatus(child);
  if (typeof status === 'string') console.error(`run-image: ${status}`);
  process.exitCode = typeof status === 'number' ? status : 1;
} finally {
  buildah('rm', container);
}
