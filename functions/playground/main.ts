import { ClientError } from '../../lib/client/client-error.js';
import { createClient } from '../../lib/client/create-client.js';
import type { GeneratedImages } from '../../lib/client/generated-images.js';
import type { Health } from '../../lib/client/prediction.js';
import { randomId } from '../../lib/client/random-id.js';
import { byId } from './dom.js';
import { toDrawing, type Waited } from './pictures/drawing.js';
import { DrawingStore } from './pictures/drawing-store.js';
import { HistoryStrip } from './pictures/history-strip.js';
import { PictureView } from './pictures/picture-view.js';
import { Stage } from './pictures/stage.js';
import { EndpointWatch } from './service/endpoint-watch.js';
import { describeFailure } from './service/failure.js';
import { KeyPanel } from './service/key-panel.js';
import { SnippetPanel } from './service/snippet-panel.js';
import { type Settings, toInput } from './settings/settings.js';
import { SettingsForm, toFormErrors } from './settings/settings-form.js';
import { duration, plural } from './words.js';

const TITLE = document.title;
const KEY_STATUSES: ReadonlySet<number | undefined> = new Set([401, 403]);

/** The page stands at the service's root, with a slash behind the stage or without. */
const service = (location.origin + location.pathname).replace(/\/+$/, '');
const stage = new Stage();
const keys = new KeyPanel();
const client = () => createClient({ url: service, apiKey: keys.key || null });
const endpoint = new EndpointWatch(createClient({ url: service, apiKey: null }), wake);
const snippets = new SnippetPanel(service);
const form = new SettingsForm(() => snippets.show(form.settings));
const view = new PictureView(
  (settings) => {
    form.settings = settings;
    form.focus();
  },
  (picture) => void form.begin(picture).then(() => form.focus()),
);
const history = DrawingStore.open().then(
  (store) =>
    new HistoryStrip(store, (drawing) => {
      if (running) return;
      view.show(drawing);
      stage.show('picture');
      reveal();
    }),
);
const go = byId('go', HTMLButtonElement);
const goKeys = /Mac|iP(hone|ad)/.test(navigator.userAgent) ? '⌘ + Enter' : 'Ctrl + Enter';
let running: AbortController | undefined;
setRunning(undefined);

byId('docs', HTMLAnchorElement).href = `${service}/docs`;
snippets.show(form.settings);
stage.show('empty');

byId('form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  if (running) running.abort();
  else void generate();
});
byId('ideas', HTMLElement).addEventListener('click', ({ target }) => {
  if (!(target instanceof HTMLButtonElement)) return;
  form.prompt = target.textContent ?? '';
  void generate();
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') running?.abort();
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  if (!running) void generate();
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && !running) document.title = TITLE;
});
performance.mark('usable');

async function wake(): Promise<Health> {
  try {
    return await client().warmUp();
  } catch (error) {
    if (error instanceof ClientError && KEY_STATUSES.has(error.status)) refuseKey();
    throw error;
  }
}

async function generate(): Promise<void> {
  if (keys.key === '') return refuseKey();
  if (!form.check()) return;
  const { settings } = form;
  const controller = new AbortController();
  setRunning(controller);
  const started = performance.now();
  let kept: string | undefined;
  const unfollow = endpoint.follow((health) => stage.see(health));
  stage.begin();
  reveal();
  try {
    const made = await client().generate(toInput(settings), {
      signal: controller.signal,
      idempotencyKey: randomId(),
      onProgress: (progress) => {
        kept ??= progress.id;
        // What the page says of the endpoint is older than this.
        if (progress.health) endpoint.hear(progress.health);
        else if (progress.phase === 'retrying') void endpoint.look();
        stage.progress(progress);
      },
    });
    present(made, settings, { elapsed: performance.now() - started, wasKept: kept !== undefined });
  } catch (error) {
    if (controller.signal.aborted) await cancelled(kept);
    else failed(error);
  } finally {
    setRunning(undefined);
    unfollow();
  }
}

function present(made: GeneratedImages, settings: Settings, waited: Waited): void {
  const drawing = toDrawing(made, settings, waited);
  keys.accept();
  form.noteSeed(made.seed);
  view.show(drawing);
  stage.show('picture');
  const pictures = plural(made.images.length, 'picture');
  stage.announce(`Done: ${pictures} in ${duration(waited.elapsed)}, seed ${made.seed}.`);
  if (document.hidden) document.title = `Picture ready · ${TITLE}`;
  void history.then((strip) => strip.add(drawing));
}

/** @param kept id of the prediction, where the service has accepted it: it would be drawn all the same */
async function cancelled(kept: string | undefined): Promise<void> {
  const isGone =
    kept === undefined ||
    (await client()
      .cancel(kept)
      .then(
        () => true,
        () => false,
      ));
  const hint = isGone ? undefined : 'It is being drawn already: the service keeps the picture.';
  if (view.shown) stage.show('picture');
  else stage.fail({ title: 'Cancelled', hint });
  stage.announce(['Cancelled.', hint].filter(Boolean).join(' '));
}

function failed(error: unknown): void {
  view.clear();
  stage.fail(describeFailure(error, keys.key !== ''));
  if (!(error instanceof ClientError)) throw error;
  if (KEY_STATUSES.has(error.status)) refuseKey();
  else form.showErrors(toFormErrors(error));
}

function refuseKey(): void {
  keys.refuse(keys.key === '' ? 'This service needs a key first.' : 'The service did not take this key.');
}

function setRunning(controller: AbortController | undefined): void {
  running = controller;
  go.textContent = controller ? 'Cancel' : 'Generate';
  byId('go-hint', HTMLElement).textContent = controller ? 'Esc' : goKeys;
  go.classList.toggle('stop', controller !== undefined);
}

/** On a phone the picture is below the form. */
function reveal(): void {
  byId('frame', HTMLElement).scrollIntoView({ block: 'nearest' });
}
