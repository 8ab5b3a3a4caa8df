// Checks, on a machine without a GPU, that the image could use one: ONNX Runtime's CUDA provider and every
// CUDA library load, and the only thing missing is the device. Run by the Dockerfile against libcuda-stub.c.
// Prints one JSON object and exits 0, or says what is missing and exits 1.

import { createRequire } from 'node:module';
import { constants } from 'node:os';

/** cudaErrorNoDevice, as ONNX Runtime reports what the CUDA runtime said. */
const NO_DEVICE = /CUDA failure 100: no CUDA-capable device is detected/;

/**
 * All that is looked up by name when a model runs. The provider links against the first four; the others
 * are opened late (cuDNN by the provider, its parts and nvrtc by cuDNN and cuBLAS), so that without this
 * list a missing one would show only on a GPU, in the first convolution.
 */
const LIBRARIES = [
  'libcudart.so.13',
  'libcublas.so.13',
  'libcublasLt.so.13',
  'libcurand.so.10',
  'libcudnn.so.9',
  'libcudnn_graph.so.9',
  'libcudnn_ops.so.9',
  'libcudnn_cnn.so.9',
  'libcudnn_heuristic.so.9',
  'libcudnn_engines_precompiled.so.9',
  'libcudnn_engines_runtime_compiled.so.9',
  'libnvrtc.so.13',
  'libnvrtc-builtins.so.13.0',
];

/**
 * One length-delimited protobuf field. Numbers below 16 and contents below 128 bytes only.
 * @param {number} number
 * @param {...(Buffer | string)} contents
 */
function field(number, ...contents) {
  const body = Buffer.concat(contents.map((part) => Buffer.from(part)));
  return Buffer.concat([Buffer.from([(number << 3) | 2, body.length]), body]);
}

/**
 * @param {number} number
 * @param {number} value below 128
 */
function varint(number, value) {
  return Buffer.from([number << 3, value]);
}

/** y = Relu(x) on one float: the fields of ModelProto, GraphProto, NodeProto and ValueInfoProto in onnx.proto. */
function tinyModel() {
  const shape = field(2, field(1, varint(1, 1)));
  const tensorType = field(2, field(1, varint(1, 1), shape));
  const node = field(1, field(1, 'x'), field(2, 'y'), field(4, 'Relu'));
  const graph = [
    node,
    field(2, 'g'),
    field(11, field(1, 'x'), tensorType),
    field(12, field(1, 'y'), tensorType),
  ];
  return Buffer.concat([varint(1, 8), field(7, ...graph), field(8, varint(2, 13))]);
}

/** @param {unknown} error */
const messageOf = (error) =>
  (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim();

/**
 * Opens a library as the loader would. Node then refuses it for not being an addon, which says that it and
 * all that it links against were found, every symbol included.
 * @param {string} name
 * @returns {string | undefined} what the loader missed
 */
function loadFailure(name) {
  try {
    process.dlopen({ exports: {} }, name, constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_LOCAL);
  } catch (error) {
    const message = messageOf(error);
    return message.includes('did not self-register') ? undefined : message;
  }
  return undefined;
}

/**
 * @param {typeof import('onnxruntime-node')} ort
 * @returns {Promise<string | undefined>} what is missing besides the device
 */
async function providerFailure(ort) {
  const model = tinyModel();
  // A mistake in the model itself must not pass for a mistake of the provider.
  await (await ort.InferenceSession.create(model, { executionProviders: ['cpu'] })).release();
  try {
    await ort.InferenceSession.create(model, { executionProviders: ['cuda'] });
  } catch (error) {
    const message = messageOf(error);
    return NO_DEVICE.test(message) ? undefined : message;
  }
  return 'a CUDA session was made although there is no device: it must have fallen back to the CPU';
}

/** @type {typeof import('onnxruntime-node')} */
const ort = createRequire(`${process.cwd()}/`)('onnxruntime-node');
const provider = await providerFailure(ort);
// After the provider: a library that is open already would hide that the loader cannot find it.
const libraries = LIBRARIES.map(loadFailure);
const failures = [provider, ...libraries].filter((failure) => failure !== undefined);
for (const failure of failures) console.error(`check-cuda-provider: ${failure}`);
if (failures.length > 0) process.exit(1);
const { node } = process.versions;
console.log(
  JSON.stringify({ onnxruntime: ort.env.versions.node, node, libraries: LIBRARIES, missing: 'device' }),
);
