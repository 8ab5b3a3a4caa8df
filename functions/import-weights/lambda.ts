import { S3Client } from '@aws-sdk/client-s3';
import { customResourceHandler } from '../shared/custom-resource.js';
import { readHubAccess } from './hub-access.js';
import { modelBundle } from './model-bundle.js';

/** The custom resource that brings the weights. */
export const handler = customResourceHandler(modelBundle(new S3Client({}), readHubAccess()));
