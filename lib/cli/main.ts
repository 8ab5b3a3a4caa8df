import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { packageRoot } from '../package/package-root.js';
import { benchCommand } from './commands/bench.js';
import { doctorCommand } from './commands/doctor.js';
import { generateCommand } from './commands/generate.js';
import { importCommand } from './commands/import.js';
import { initCommand } from './commands/init.js';
import { keysCommand } from './commands/keys.js';
import { modelsCommand } from './commands/models.js';
import { serveCommand } from './commands/serve.js';
import { example } from './example.js';
import { describeError, EXIT_CODE, exitCodeOf } from './exit-code.js';
import { foreignOption } from './foreign-option.js';

const { version } = JSON.parse(readFileSync(new URL('package.json', packageRoot()), 'utf8'));

const program = new Command('sd-turbo')
  .description('SD-Turbo text-to-image: draw pictures, serve, import checkpoints, measure, deploy')
  .version(version)
  .addHelpText('after', example('generate "a tree in a field under the night sky" --out tree.png'))
  .addCommand(generateCommand())
  .addCommand(importCommand())
  .addCommand(serveCommand())
  .addCommand(benchCommand())
  .addCommand(keysCommand())
  .addCommand(modelsCommand())
  .addCommand(doctorCommand())
  .addCommand(initCommand());

// Errors are thrown, so that one place writes them in one form.
for (const command of [
  program,
  ...program.commands,
  ...program.commands.flatMap(({ commands }) => commands),
]) {
  command.exitOverride().configureOutput({ outputError: () => undefined });
}

// Whoever reads may have seen enough, as `head` has: then there is nothing to say, and nobody to say it to.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exitCode = EXIT_CODE.failed;
  if (error.code !== 'EPIPE') process.stderr.write(`sd-turbo: stdout cannot be written (${error.code})\n`);
});
process.stderr.on('error', () => undefined);

try {
  await program.parseAsync();
} catch (error) {
  const command = program.commands.find((each) => each.name() === process.argv[2]);
  const message = foreignOption(error, command) ?? describeError(error);
  if (message) process.stderr.write(`${message}\n`);
  process.exitCode = exitCodeOf(error);
}
