/**
 * ONNX Runtime 1.29 and later otherwise report on models and sessions to its maker. Read when it is loaded; what a thread
 * sets in its own copy of the environment never reaches it.
 */
export function keepRuntimeQuiet(): void {
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
}
