import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { benchCommand } from './commands/bench.js';
import { generateCommand } from './commands/generate.js';
import { importCommand } from './commands/import.js';
import { serveCommand } from './commands/serve.js';
import { describeError, exitCodeOf } from './exit-code.js';
import { packageRoot } from './package-root.js';

const { version } = JSON.parse(readFileSync(new URL('package.json', packageRoot()), 'utf8'));

const program = new Command('sd-turbo')
  .description('SD-Turbo text-to-image: import checkpoints, draw pictures, serve, measure')
  .version(version)
  .addCommand(generateCommand())
  .addCommand(importCommand())
  .addCommand(serveCommand())
  .addCommand(benchCommand());

// Errors are thrown, so that one place writes them in one form.
for (const command of [program, ...program.commands]) {
  command.exitOverride().configureOutput({ outputError: () => undefined });
}

try {
  await program.parseAsync();
} catch (error) {
  const message = describeError(error);
  if (message) process.stderr.write(`${message}\n`);
  process.exitCode = exitCodeOf(error);
}
