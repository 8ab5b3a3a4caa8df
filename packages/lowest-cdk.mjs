// Finds the lowest CDK that the construct works with, for `peerDependencies` in packages/main/package.json: halves the list
// of aws-cdk-lib's versions, installs each candidate beside the packed package, with the oldest constructs that it takes,
// and compiles and synthesises the app that `sd-turbo init` writes, with each backend. Its resources must be those that
// the tested version makes. Needs npm's registry; takes minutes.
//
//   node packages/lowest-cdk.mjs

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pack } from './pack.mjs';
import { ROOT, readJson, writeJson } from './steps/root.mjs';

const run = promisify(execFile);
const BACKENDS = ['sagemaker', 'ec2'];
const OPTIONS = { module: 'nodenext', target: 'es2022', types: ['node'], strict: true, skipLibCheck: false };

const scratch = await mkdtemp(join(tmpdir(), 'lowest-cdk-'));
try {
  const { file: tarball } = await pack('main', scratch);
  const { devDependencies: tested } = await readJson(join(ROOT, 'package.json'));
  const versions = await view('aws-cdk-lib', 'versions');
  let high = versions.indexOf(tested['aws-cdk-lib']);
  const wanted = await synthesize(tarball, versions[high], tested);
  let low = -1;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const problem = await synthesize(tarball, versions[middle], tested).then(
      (made) => (made === wanted ? undefined : 'makes other resources'),
      ({ message, stdout, stderr }) => /.*(error|Error).*/.exec(`${stdout}\n${stderr}\n${message}`)?.[0],
    );
    console.error(`${versions[middle]}: ${problem ?? 'works'}`);
    if (problem === undefined) high = middle;
    else low = middle;
  }
  const peers = {
    'aws-cdk-lib': `^${versions[high]}`,
    constructs: `^${await oldestConstructs(versions[high])}`,
  };
  console.log(JSON.stringify(peers, undefined, 2));
} finally {
  await rm(scratch, { recursive: true, force: true });
}

/**
 * @param {string} tarball
 * @param {string} version of aws-cdk-lib
 * @param {Record<string, string>} tested
 * @returns {Promise<string>} logical ids and types of all resources
 */
async function synthesize(tarball, version, tested) {
  const folder = join(scratch, version);
  await mkdir(folder);
  await writeJson(join(folder, 'package.json'), { type: 'module' });
  await writeJson(join(folder, 'tsconfig.json'), { compilerOptions: OPTIONS });
  const template = await readFile(join(ROOT, 'packages/app/app.ts'), 'utf8');
  for (const backend of BACKENDS)
    await writeFile(join(folder, `${backend}.ts`), template.replace("'sagemaker'", `'${backend}'`));
  const packages = [
    `aws-cdk-lib@${version}`,
    `constructs@${await oldestConstructs(version)}`,
    ...['typescript', '@types/node'].map((name) => `${name}@${tested[name]}`),
  ];
  await run('npm', ['install', '--no-audit', '--no-fund', '--legacy-peer-deps', tarball, ...packages], {
    cwd: folder,
  });
  await run(process.execPath, ['node_modules/typescript/bin/tsc'], { cwd: folder });
  const made = [];
  for (const backend of BACKENDS) {
    const env = { ...process.env, CDK_OUTDIR: join(folder, backend) };
    await run(process.execPath, [`${backend}.js`], { cwd: folder, env });
    const { Resources } = await readJson(join(folder, backend, 'my-pictures.template.json'));
    made.push(Object.entries(Resources).map(([id, { Type }]) => `${id} ${Type}`));
  }
  await rm(folder, { recursive: true });
  return JSON.stringify(made.map((lines) => lines.sort()));
}

/** @param {string} version of aws-cdk-lib */
async function oldestConstructs(version) {
  const { constructs } = await view(`aws-cdk-lib@${version}`, 'peerDependencies');
  return constructs.replace('^', '');
}

/** @param {string} name @param {string} field @returns {Promise<any>} */
async function view(name, field) {
  const { stdout } = await run('npm', ['view', name, field, '--json'], { maxBuffer: 2 ** 24 });
  return JSON.parse(stdout);
}
