import { Command } from 'commander';
import { AppError } from '../../errors/app-error.js';
import { modelName } from '../../pipeline/bundle.js';
import type { Manifest } from '../../schemas/manifest.js';
import { hubUrl } from '../../weights/sources/hub/hub-location.js';
import { formatS3Url } from '../../weights/sources/s3/s3-location.js';
import { modelPlace } from '../draw/model-place.js';
import { example } from '../example.js';
import { formatBytes } from '../format-bytes.js';
import { cacheRoot } from '../models/cache-folder.js';
import { type CachedModel, listCached, removeCached } from '../models/cached-models.js';

const NETWORKS: Readonly<Record<string, string>> = {
  vae_decoder: 'vae',
  taesd_decoder: 'taesd',
  vae_encoder: 'encoder',
};

export function modelsCommand(): Command {
  return new Command('models')
    .description('list the models that --model has brought to this machine, and remove them')
    .addCommand(
      new Command('list')
        .description('what there is, how large, and with which decoders (the default)')
        .option('--json', 'print one JSON array on stdout')
        .addHelpText('after', example('models list --json'))
        .action(({ json }: { json?: boolean }) => list(json === true)),
      { isDefault: true },
    )
    .addCommand(
      new Command('remove')
        .description('delete models; they are downloaded again where --model names them again')
        .argument('[PLACE...]', 'as they are listed: hf:OWNER/NAME, s3://BUCKET/PREFIX')
        .option('--all', 'delete all of them')
        .addHelpText('after', example('models remove hf:stabilityai/sd-turbo'))
        .action((places: string[], { all }: { all?: boolean }) => remove(places, all === true)),
    )
    .addHelpText('after', '\nThey lie below XDG_CACHE_HOME, or ~/.cache.')
    .addHelpText('after', example('models remove hf:stabilityai/sd-turbo'));
}

async function list(asJson: boolean): Promise<void> {
  const models = await listCached(cacheRoot());
  const said = asJson ? `${JSON.stringify(models.map(toJson))}\n` : inWords(models);
  process.stdout.write(said);
}

async function remove(places: readonly string[], all: boolean): Promise<void> {
  if (all === places.length > 0)
    throw new AppError('INVALID_INPUT', 'models remove takes the PLACE of a model, or --all');
  const cached = all ? (await listCached(cacheRoot())).map(({ place }) => place) : places.map(spell);
  for (const place of cached) {
    const { bytes } = await removeCached(cacheRoot(), place);
    process.stdout.write(`${place} is removed: ${formatBytes(bytes)}\n`);
  }
}

/** As it is listed, where `text` names a place in another way: the address of a page of the hub. */
function spell(text: string): string {
  const place = modelPlace(text);
  if (place.kind === 'hub') return hubUrl(place.location);
  return place.kind === 's3' ? formatS3Url(place.location) : text;
}

function inWords(models: readonly CachedModel[]): string {
  const root = cacheRoot();
  if (models.length === 0)
    return `Nothing is in ${root}: npx sd-turbo serve --model hf:stabilityai/sd-turbo brings a model there.\n`;
  const width = Math.max(...models.map(({ place }) => place.length));
  const lines = models.map(
    ({ place, manifest, bytes }) =>
      `${place.padEnd(width)}  ${formatBytes(bytes).padStart(7)}  ${manifest ? about(manifest) : 'unfinished: the next run goes on with it'}`,
  );
  const all = models.reduce((sum, { bytes }) => sum + bytes, 0);
  return `${lines.join('\n')}\n${formatBytes(all)} in ${root}\n`;
}

function about(manifest: Manifest): string {
  const { dialect, precision } = manifest;
  return [modelName(manifest), `${dialect} ${precision}`, ...abilities(manifest)].join(', ');
}

/** Decoders, and the encoder. */
function abilities({ files }: Manifest): string[] {
  return Object.entries(NETWORKS)
    .filter(([folder]) => files.some(({ path }) => path === `${folder}/model.onnx`))
    .map(([, name]) => name);
}

function toJson({ place, manifest, bytes, folders }: CachedModel) {
  const model = manifest ? modelName(manifest) : null;
  return { place, model, whole: manifest !== undefined, bytes, folders };
}
