import { FolderPredictionStore } from '../../../functions/home/records/folder-prediction-store.js';
import { requestRecord, resultRecord } from '../predictions/prediction-records.js';

/** Writes predictions into the folder that its argument names until it is killed, and says the id of each that is written. */
const store = new FolderPredictionStore(process.argv[2] as string);
for (;;) {
  const request = requestRecord();
  await store.createRequest(request);
  await store.createResult(request.id, resultRecord(1, 300_000));
  process.stdout.write(`${request.id}\n`);
}
