#!/usr/bin/env node
// CDK_DOCKER of the tour: builds nothing, and says so to nobody but its log; what it "pushes" is in the emulator's
// registry afterwards. The image itself is built and broken by test/container.

import { appendFileSync } from 'node:fs';

const [command, ...args] = process.argv.slice(2);
appendFileSync(process.env.DOCKER_LOG ?? 'docker.log', `${[command, ...args].join(' ')}\n`);
if (command === 'inspect') process.exitCode = 1;
if (command === 'login') for await (const _ of process.stdin);
if (command === 'push') {
  const response = await fetch(`http://127.0.0.1:${process.env.CONTROL_PORT}/_push`, {
    method: 'POST',
    body: JSON.stringify(args.at(-1)),
  });
  if (!response.ok) {
    console.error(await response.text());
    process.exitCode = 1;
  }
}
