import type { Method, Operation } from '../openapi/openapi-types.js';

export interface DescribedOperation {
  readonly path: string;
  readonly method: Method;
  readonly operation: Operation;
}
