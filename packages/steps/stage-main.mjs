import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build } from '../../lib/cli/build.mjs';
import { copyDeclarations } from './declarations.mjs';
import { compiled, isInfra, modulesInUse } from './modules-in-use.mjs';
import { copyOnnxRuntime } from './onnxruntime.mjs';
import { ROOT, readJson, writeJson } from './root.mjs';
import { stageCdk } from './stage-cdk.mjs';

const BUNDLED = 'onnxruntime-node';
/** What the bundled package imports itself. */
const OF_BUNDLED = 'onnxruntime-common';

/** What the app that `sd-turbo init` writes is made with. */
const OF_NEW_APP = ['aws-cdk', 'aws-cdk-lib', 'constructs', 'typescript', '@types/node'];

/**
 * The command, the service at home, the pipeline as a library, and the construct: JavaScript, declarations, the demo
 * bundle, what is deployed, and the app that `sd-turbo init` writes.
 *
 * @param {string} stage an empty directory
 */
export async function stageMain(stage) {
  await build();
  const { modules, needed, optional, cdk } = await modulesInUse();
  await writeJson(join(stage, 'package.json'), await manifest(needed, optional, cdk));
  await cp(join(ROOT, 'packages/main/README.md'), join(stage, 'README.md'));
  await cp(join(ROOT, 'LICENSE'), join(stage, 'LICENSE'));
  const scripts = modules.filter((module) => !isInfra(module)).map(compiled);
  for (const file of [...scripts, 'dist/functions/playground/page.js']) await copyScript(file, stage);
  await stageCdk(stage, modules.filter(isInfra));
  const entries = ['lib/client/index', 'lib/in-process/index', 'infra/index'];
  await copyDeclarations(entries, join(stage, 'dist'), { peers: [...cdk] });
  for (const folder of ['lib/demo-model/bundle', 'packages/app'])
    await cp(join(ROOT, folder), join(stage, folder), { recursive: true });
  await copyOnnxRuntime(join(stage, 'node_modules', BUNDLED));
}

/**
 * @param {Set<string>} needed
 * @param {Set<string>} optional
 * @param {Set<string>} cdk
 */
async function manifest(needed, optional, cdk) {
  const root = await readJson(join(ROOT, 'package.json'));
  const { name, keywords, peerDependencies, ...entries } = await readJson(
    join(ROOT, 'packages/main/package.json'),
  );
  if (Object.keys(peerDependencies).sort().join() !== [...cdk].sort().join())
    throw new Error(`packages/main/package.json: peerDependencies must name ${[...cdk].join(', ')}`);
  const versions = {
    ...{ ...root.devDependencies, ...root.dependencies },
    [OF_BUNDLED]: root.dependencies[BUNDLED],
  };
  const { version, description, license, engines } = root;
  const pick = (/** @type {Iterable<string>} */ names, /** @type {string} */ range) =>
    Object.fromEntries([...names].sort().map((each) => [each, `${range}${versions[each]}`]));
  const peers = { ...peerDependencies, ...pick(optional, '^') };
  return {
    ...{ name, version, description, keywords, license, engines },
    ...entries,
    dependencies: pick([...needed, OF_BUNDLED], ''),
    bundleDependencies: [BUNDLED],
    peerDependencies: peers,
    peerDependenciesMeta: Object.fromEntries(Object.keys(peers).map((each) => [each, { optional: true }])),
    // npm installs none of these with the package: `sd-turbo init` reads them.
    devDependencies: pick(OF_NEW_APP, ''),
  };
}

/** Without its source map: the sources are not published. @param {string} file @param {string} stage */
async function copyScript(file, stage) {
  const text = await readFile(join(ROOT, file), 'utf8');
  await mkdir(dirname(join(stage, file)), { recursive: true });
  await writeFile(join(stage, file), text.replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n'));
}
