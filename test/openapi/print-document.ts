import { openapiDocument } from '../../functions/api/openapi/openapi-document.js';

// For tools: node test/support/run-ts.mjs test/openapi/print-document.ts > openapi.json
console.log(JSON.stringify(openapiDocument('https://service.test/prod'), undefined, 2));
