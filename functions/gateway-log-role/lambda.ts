import { customResourceHandler } from '../shared/custom-resource.js';
import { parseProperties } from '../shared/resource-properties.js';
import { ensureLogRole, propertiesSchema } from './log-role.js';

/** The role with which API Gateway writes the access logs of the account: the one that is there stays, whoever's it is. */
export const handler = customResourceHandler({
  idOf: (properties) => parseProperties(propertiesSchema, properties).RoleName,
  ensure: (properties, { milliseconds }) =>
    ensureLogRole(parseProperties(propertiesSchema, properties), milliseconds),
  // All APIs of the account log with it, and which of them do nobody can say.
  remove: async () => undefined,
});
