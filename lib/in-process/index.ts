/// <reference lib="esnext.disposable" preserve="true" />
// What `sd-turbo-serverless` is as a library: pictures in one's own program.
export type { Decoder, GenerateInput, OutputFormat } from '../client/generate-input.js';
export type { GeneratedImages, ImageBytes } from '../client/generated-images.js';
export { AppError, type AppErrorOptions, type ErrorCode } from '../errors/app-error.js';
export { openPipeline } from './open-pipeline.js';
export type { DrawOptions, OpenPipelineProps, Pipeline } from './pipeline.js';
