import { type DownloadProps, startDownload } from '../../../lib/weights/download/download-bundle.js';
import { createS3Client } from '../../../lib/weights/sources/s3/create-s3-client.js';
import { S3Source } from '../../../lib/weights/sources/s3/s3-source.js';
import { motoClientConfig } from '../servers/moto-server.js';

/** What the child process is told, as JSON, in its only argument. */
export interface DownloadChildProps {
  readonly endpoint: string;
  readonly bucket: string;
  readonly directory: string;
  readonly manifest: DownloadProps['manifest'];
  readonly parallelism: number;
  /** A file URL. */
  readonly fetchWorker: string;
}

const props = JSON.parse(process.argv[2] ?? '') as DownloadChildProps;
const client = createS3Client(motoClientConfig(props.endpoint));
const source = new S3Source(client, { bucket: props.bucket, prefix: '' });
const { manifest, directory, parallelism } = props;
const threads = { entry: new URL(props.fetchWorker), fromBytes: 0 };
// Nothing is closed here: a process whose download is done has to end by itself.
await startDownload({ source, manifest, directory, parallelism, threads, policy: { retries: 2 } }).done;
