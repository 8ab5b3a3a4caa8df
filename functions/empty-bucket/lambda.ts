import { S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { deleteObjects } from '../shared/aws/s3/delete-objects.js';
import { customResourceHandler } from '../shared/custom-resource.js';
import { log } from '../shared/log.js';
import { parseProperties } from '../shared/resource-properties.js';

const propertiesSchema = z.object({ Bucket: z.string().min(3) });

/** CloudFormation deletes no bucket that has objects: this deletes them first, when the stack goes. */
export const handler = customResourceHandler({
  idOf: (properties) => parseProperties(propertiesSchema, properties).Bucket,
  ensure: async () => undefined,
  async remove(bucket) {
    const count = await deleteObjects(new S3Client({}), bucket, '');
    log('info', 'the bucket is empty', { bucket, deleted: count });
  },
});
