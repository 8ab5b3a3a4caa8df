// What the package shows to others as `sd-turbo-serverless/client`.
export { ClientError } from './client-error.js';
export type {
  ClientProps,
  GeneratedImages,
  GenerateInput,
  GenerateOptions,
  GenerateProgress,
} from './client-props.js';
export { type Client, createClient } from './create-client.js';
