#!/usr/bin/env node
// The command of the installed package.

// ONNX Runtime 1.29 and later otherwise report on models and sessions to its maker. Read when it is loaded.
process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
// The AWS SDK otherwise says in seven lines, on Node 20, what its versions of 2027 will need. Read by its first client.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

await import('./main.js');

export {};
