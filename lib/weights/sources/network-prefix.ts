/** Schemes of the places where people keep weights: before a colon alone, any other word begins a file's name. */
const SCHEMES: ReadonlySet<string> = new Set(
  (
    'abfs abfss arn az azure azureml b2 data dbfs file ftp ftps gcs git gs hdfs hf http https huggingface minio ' +
    'modelscope oci oss r2 s3 s3a s3n scp sftp smb ssh swift wasb wasbs webdav'
  ).split(' '),
);

/** Two letters at least: `C:` is a drive. */
const SCHEME = /^([a-z][a-z0-9+.-]+):(\/*)/i;
const HUB_HOST = /^(?:git@hf\.co:|(?:www\.)?(?:huggingface|hf)\.co\/)/i;

/**
 * What `text` begins with where it names a place on a network, such as `gs://`, `S3:` or `hf.co/`; undefined for a
 * path, such as `C:\weights`, `./a:b` or `cat: asleep.png`.
 */
export function networkPrefix(text: string): string | undefined {
  // Files of environment variables keep quotes.
  const bare = text.replace(/^[\s"'<]+/, '');
  const [scheme, word = '', slashes] = SCHEME.exec(bare) ?? [];
  if (scheme && (slashes || SCHEMES.has(word.toLowerCase()))) return scheme;
  return HUB_HOST.exec(bare)?.[0];
}
