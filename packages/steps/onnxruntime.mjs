import { cp, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { ROOT, readJson, writeJson } from './root.mjs';

/** What its binding loads for the CPU; the rest is for WebGPU and DirectML, or a second copy under another name. */
const LIBRARIES =
  /^(libonnxruntime\.so\.1|libonnxruntime\.1\.dylib|onnxruntime\.dll|onnxruntime_binding\.node)$/;
const KEPT = /^(package\.json|README\.md|dist\/[\w-]+\.js)$/;

/**
 * onnxruntime-node less its install script, which asks NuGet for CUDA's provider (CONTRIBUTING.md, Packages), and less what
 * only that script and other providers need.
 *
 * @param {string} target
 */
export async function copyOnnxRuntime(target) {
  const source = join(ROOT, 'node_modules/onnxruntime-node');
  const files = await readdir(source, { recursive: true, withFileTypes: true });
  let binaries = 0;
  for (const file of files.filter((entry) => entry.isFile())) {
    const path = relative(source, join(file.parentPath, file.name));
    const isBinary = path.startsWith('bin/') && LIBRARIES.test(file.name);
    if (isBinary) binaries++;
    if (isBinary || KEPT.test(path)) await cp(join(source, path), join(target, path));
  }
  // A library and its binding for each of Linux and Windows on x64 and arm64, and macOS on arm64.
  if (binaries !== 10)
    throw new Error(`onnxruntime-node has ${binaries} libraries, not 10: look at what has changed`);
  const { scripts, devDependencies, dependencies, binary, ...manifest } = await readJson(
    join(source, 'package.json'),
  );
  const common = { 'onnxruntime-common': dependencies['onnxruntime-common'] };
  const description = `${manifest.description}, for the CPU alone: without its install script`;
  const own = { ...manifest, description, dependencies: common };
  await writeJson(join(target, 'package.json'), own);
}
