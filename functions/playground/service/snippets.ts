import { type Settings, toBody } from '../settings/settings.js';

export const LANGUAGES = ['curl', 'typescript', 'python'] as const;
export type Language = (typeof LANGUAGES)[number];

/**
 * The form's request as a program.
 *
 * @param service the service's URL without a slash at its end
 */
export function snippet(language: Language, service: string, settings: Settings): string {
  if (language === 'curl') return curl(service, settings);
  return language === 'python' ? python(service, settings) : typescript(service, settings);
}

function curl(service: string, settings: Settings): string {
  const { num_images, output_format, image } = settings;
  const several = num_images > 1;
  const file = several ? 'pictures.json' : fileName(settings);
  const part = 'answer.part';
  const body = `{${fields(settings).map(([name, value]) => `"${name}":${value}`)}`;
  const start = `{ printf %s ${shellQuoted(`${body},"image":"`)}; base64 < ${startFile(image)} | tr -d '\\n'; printf '"}'; } |`;
  return [
    ...(image === undefined ? [] : [start]),
    `curl --silent --show-error ${shellQuoted(`${service}/predict`)} \\`,
    `  --header "x-api-key: $SD_TURBO_API_KEY" \\`,
    `  --header 'content-type: application/json' \\`,
    ...(several ? [] : [`  --header 'accept: image/${output_format}' \\`]),
    image === undefined ? `  --data ${shellQuoted(`${body}}`)} \\` : '  --data-binary @- \\',
    `  --output ${part} --write-out '%{http_code}' |`,
    `  grep -qx 200 && mv ${part} ${file} || { cat ${part}; rm ${part}; }`,
    `# 200: it is in ${file}. What else comes is printed: an error, or, of an endpoint`,
    '# that was asleep, in "status_url" the address of the picture to come.',
  ].join('\n');
}

function typescript(service: string, settings: Settings): string {
  const { image } = settings;
  const read =
    image === undefined ? [] : [['image', `await readFile('${startFile(image)}', 'base64')`] as const];
  const body = [...fields(settings), ...read].map(([name, value]) => `    ${name}: ${value},`);
  return `import { ${image === undefined ? '' : 'readFile, '}writeFile } from 'node:fs/promises';

const headers = { 'x-api-key': process.env.SD_TURBO_API_KEY ?? '', 'content-type': 'application/json' };
const request = await fetch(${JSON.stringify(`${service}/predict`)}, {
  method: 'POST',
  headers,
  body: JSON.stringify({
${body.join('\n')}
  }),
});
let answer = await request.json();
while (answer.status === 'queued') {
  const later = await fetch(answer.status_url, { headers: { ...headers, prefer: 'wait=20' } });
  answer = await later.json();
}
if (!answer.result) throw new Error((answer.error ?? answer).detail);
${writeTypescript(settings)}
`;
}

function writeTypescript(settings: Settings): string {
  if (settings.num_images === 1) {
    return `await writeFile('${fileName(settings)}', Buffer.from(answer.result, 'base64'));`;
  }
  return `for (const [index, picture] of answer.results.entries()) {
  await writeFile(\`picture-\${index}.${extension(settings)}\`, Buffer.from(picture, 'base64'));
}`;
}

function python(service: string, settings: Settings): string {
  const { image } = settings;
  const read = image === undefined ? [] : [['image', 'start'] as const];
  const body = [...fields(settings), ...read].map(([name, value]) => `        "${name}": ${value},`);
  const open = `\nwith open("${startFile(image)}", "rb") as file:\n    start = base64.b64encode(file.read()).decode()\n`;
  return `import base64
import os

import requests
${image === undefined ? '' : open}
session = requests.Session()
session.headers["x-api-key"] = os.environ["SD_TURBO_API_KEY"]
answer = session.post(
    ${JSON.stringify(`${service}/predict`)},
    json={
${body.join('\n')}
    },
).json()
while answer.get("status") == "queued":
    answer = session.get(answer["status_url"], headers={"prefer": "wait=20"}).json()
if "result" not in answer:
    raise SystemExit(answer.get("error", answer)["detail"])
${writePython(settings)}
`;
}

function writePython(settings: Settings): string {
  if (settings.num_images === 1) {
    return `with open("${fileName(settings)}", "wb") as file:
    file.write(base64.b64decode(answer["result"]))`;
  }
  return `for index, picture in enumerate(answer["results"]):
    with open(f"picture-{index}.${extension(settings)}", "wb") as file:
        file.write(base64.b64decode(picture))`;
}

/** The body's fields with their values as JSON, which JavaScript and Python read alike; its `image` is in a file. */
function fields(settings: Settings): (readonly [name: string, value: string])[] {
  const { image: _, ...others } = toBody(settings);
  return Object.entries(others).map(([name, value]) => [name, JSON.stringify(value)]);
}

/** One word for a POSIX shell, whatever is in it. */
function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function fileName(settings: Settings): string {
  return `picture.${extension(settings)}`;
}

/** @param image a data URL */
function startFile(image: string | undefined): string {
  return `start.${/^data:image\/(png|webp)/.exec(image ?? '')?.[1] ?? 'jpg'}`;
}

function extension({ output_format }: Settings): string {
  return output_format === 'jpeg' ? 'jpg' : output_format;
}
