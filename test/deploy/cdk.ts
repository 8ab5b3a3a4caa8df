import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/reference.js';
import type { Emulator } from './emulator.js';

/** What stands for Docker. */
export const DOCKER_STAND_IN = join(ROOT, 'test/deploy/docker-stand-in.mjs');
const CDK = join(ROOT, 'node_modules/aws-cdk/bin/cdk');
/** What synthesis, the assets or a resource failed at, in the command's report. */
const FAILED = /(CREATE|UPDATE|DELETE|ROLLBACK)_FAILED|❌|Error|ERROR|error:|fail:/;

export interface CdkProps {
  readonly emulator: Emulator;
  /** A checkout of this repository. */
  readonly root: string;
  /** Where the output is kept: `NAME.log` for each run, `NAME.json` of outputs. */
  readonly work: string;
}

export interface CdkRun {
  readonly code: number | null;
  readonly output: string;
}

/** The CDK command as a person runs it, against the emulator. */
export class Cdk {
  readonly #props: CdkProps;
  #count = 0;

  constructor(props: CdkProps) {
    this.#props = props;
  }

  /** @param cwd @default the checkout */
  run(name: string, args: readonly string[], cwd = this.#props.root): Promise<CdkRun> {
    const { emulator, work } = this.#props;
    this.#count += 1;
    const file = join(work, `cdk-${this.#count}-${name}.log`);
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [CDK, ...args, '--no-notices'], {
        cwd,
        env: {
          ...process.env,
          ...emulator.environment,
          CDK_DOCKER: DOCKER_STAND_IN,
          DOCKER_LOG: join(work, 'docker.log'),
          CDK_DISABLE_VERSION_CHECK: '1',
        },
      });
      child.stdin.end();
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (text) => {
          output += text;
          appendFileSync(file, text);
        });
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, output }));
    });
  }

  /** @throws Error with the lines that say what failed */
  async succeed(name: string, args: readonly string[], cwd?: string): Promise<string> {
    const { code, output } = await this.run(name, args, cwd);
    if (code !== 0) throw new Error(`cdk ${args[0]} ended with ${code}:\n${failures(output)}`);
    return output;
  }

  /** What the next deploys without options deploy: so callers need not share the machine with a synthesis. */
  async synth(stack: string, options: Options): Promise<void> {
    await this.succeed(`synth-${stack}`, ['synth', '--quiet', ...this.#synthesis(stack, options)]);
  }

  /**
   * @param options @default as `synth` had them
   * @returns the stack's outputs
   */
  async deploy(stack: string, options?: Options, args: readonly string[] = []): Promise<Options> {
    const { code, output } = await this.tryDeploy(stack, options, args);
    if (code !== 0) throw new Error(`cdk deploy ended with ${code}:\n${failures(output)}`);
    return JSON.parse(readFileSync(this.#outputs(stack), 'utf8'))[stack];
  }

  /** As `deploy`, where it may fail. */
  tryDeploy(stack: string, options?: Options, args: readonly string[] = []): Promise<CdkRun> {
    const source = options ? this.#synthesis(stack, options) : ['--app', this.#assembly(stack)];
    const how = ['--require-approval', 'never', '--outputs-file', this.#outputs(stack)];
    return this.run(`deploy-${stack}`, ['deploy', ...source, ...how, ...args]);
  }

  /** What was deployed last, without another synthesis. */
  async destroy(stack: string): Promise<void> {
    await this.succeed(`destroy-${stack}`, ['destroy', '--force', '--app', this.#assembly(stack)]);
  }

  #synthesis(stack: string, options: Options): string[] {
    const context = Object.entries({ stackName: stack, ...options }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]);
    return [...context, '--output', this.#assembly(stack)];
  }

  #outputs(stack: string): string {
    return join(this.#props.work, `outputs-${stack}.json`);
  }

  #assembly(stack: string): string {
    return join(this.#props.work, `cdk.out-${stack}`);
  }
}

type Options = Readonly<Record<string, string>>;

/** The lines of a run that say what went wrong. */
export function failures(output: string): string {
  const lines = output.split('\n').filter((line) => FAILED.test(line));
  return (lines.length > 0 ? lines : output.split('\n').slice(-20)).join('\n').slice(0, 6000);
}
