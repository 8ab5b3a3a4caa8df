import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build } from '../../lib/cli/build.mjs';
import { copyDeclarations } from './declarations.mjs';
import { compiled, modulesInUse } from './modules-in-use.mjs';
import { copyOnnxRuntime } from './onnxruntime.mjs';
import { ROOT, readJson } from './root.mjs';

const BUNDLED = 'onnxruntime-node';
/** What the bundled package imports itself. */
const OF_BUNDLED = 'onnxruntime-common';

/**
 * The command, the service at home, and the pipeline as a library: JavaScript, declarations, the demo bundle.
 *
 * @param {string} stage an empty directory
 */
export async function stageMain(stage) {
  await build();
  const { modules, needed, optional } = await modulesInUse();
  await writeFile(
    join(stage, 'package.json'),
    `${JSON.stringify(await manifest(needed, optional), undefined, 2)}\n`,
  );
  await cp(join(ROOT, 'packages/main/README.md'), join(stage, 'README.md'));
  await cp(join(ROOT, 'LICENSE'), join(stage, 'LICENSE'));
  for (const file of [...modules.map(compiled), 'dist/functions/playground/page.js'])
    await copyScript(file, stage);
  await copyDeclarations(['lib/client/index', 'lib/in-process/index'], join(stage, 'dist'));
  await cp(join(ROOT, 'lib/demo-model/bundle'), join(stage, 'lib/demo-model/bundle'), { recursive: true });
  await copyOnnxRuntime(join(stage, 'node_modules', BUNDLED));
}

/**
 * @param {Set<string>} needed
 * @param {Set<string>} optional
 */
async function manifest(needed, optional) {
  const root = await readJson(join(ROOT, 'package.json'));
  const own = await readJson(join(ROOT, 'packages/main/package.json'));
  const versions = { ...root.dependencies, [OF_BUNDLED]: root.dependencies[BUNDLED] };
  const { version, description, license, engines } = root;
  const pick = (/** @type {Iterable<string>} */ names, /** @type {string} */ range) =>
    Object.fromEntries([...names].sort().map((name) => [name, `${range}${versions[name]}`]));
  const { name, keywords, ...entries } = own;
  return {
    ...{ name, version, description, keywords, license, engines },
    ...entries,
    dependencies: pick([...needed, OF_BUNDLED], ''),
    bundleDependencies: [BUNDLED],
    peerDependencies: pick(optional, '^'),
    peerDependenciesMeta: Object.fromEntries([...optional].sort().map((each) => [each, { optional: true }])),
  };
}

/** Without its source map: the sources are not published. @param {string} file @param {string} stage */
async function copyScript(file, stage) {
  const text = await readFile(join(ROOT, file), 'utf8');
  await mkdir(dirname(join(stage, file)), { recursive: true });
  await writeFile(join(stage, file), text.replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n'));
}
