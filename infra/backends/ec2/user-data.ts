import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const HOME = '/opt/sd-turbo';
/** What is written onto the instance, as it stands in the repository: no value is filled in, so that tools can read it. */
const FILES: Readonly<Record<string, string>> = {
  'first-boot.sh': `${HOME}/first-boot.sh`,
  'run-container.sh': `${HOME}/run-container.sh`,
  'power-off.sh': `${HOME}/power-off.sh`,
  'worker.service': '/etc/systemd/system/worker.service',
};

export interface UserDataProps {
  /** Directory of what is written onto the instance. */
  readonly scripts: string;
  /** What the scripts are told. */
  readonly machine: Readonly<Record<'REGION' | 'STACK' | 'RESOURCE' | 'IMAGE' | 'LOG_GROUP', string>>;
  /** What the container is told. */
  readonly worker: Readonly<Record<string, string>>;
}

/**
 * The script that cloud-init runs once, when the instance is made: it writes the files, and starts the first of them.
 * EC2 takes 16 KB of it.
 */
export function userData({ scripts, machine, worker }: UserDataProps): string {
  const files = Object.entries(FILES).map(([name, path]) =>
    write(path, readFileSync(join(scripts, name), 'utf8')),
  );
  return [
    '#!/bin/bash',
    'set -euo pipefail',
    `mkdir -p ${HOME}`,
    write(`${HOME}/machine.env`, variables(machine)),
    write(`${HOME}/worker.env`, variables(worker)),
    ...files,
    `chmod 755 ${HOME}/*.sh`,
    `exec ${HOME}/first-boot.sh`,
    '',
  ].join('\n');
}

function write(path: string, text: string): string {
  return `cat >${path} <<'END OF FILE'\n${text}END OF FILE`;
}

/** For bash and for Docker, of which only one knows quotes: no value may need any. */
function variables(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
