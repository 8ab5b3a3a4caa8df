import { type Settings, toBody } from './settings.js';

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
  const { num_images, output_format } = settings;
  const several = num_images > 1;
  return [
    `curl ${shellQuoted(`${service}/predict`)} \\`,
    `  --header "x-api-key: $SD_TURBO_API_KEY" \\`,
    `  --header 'content-type: application/json' \\`,
    ...(several ? [] : [`  --header 'accept: image/${output_format}' \\`]),
    `  --data ${shellQuoted(JSON.stringify(toBody(settings)))} \\`,
    `  --output ${several ? 'pictures.json' : fileName(settings)} \\`,
    `  --write-out '%{http_code} %header{location}\\n'`,
    '# 200: the picture is in the file.',
    '# 202: the endpoint was asleep; the picture comes to the printed address.',
  ].join('\n');
}

function typescript(service: string, settings: Settings): string {
  const body = JSON.stringify(toBody(settings), undefined, 2)
    .replace(/\n/g, '\n  ')
    .replace(/"(\w+)":/g, '$1:');
  return `import { writeFile } from 'node:fs/promises';

const headers = { 'x-api-key': process.env.SD_TURBO_API_KEY ?? '', 'content-type': 'application/json' };
const request = await fetch(${JSON.stringify(`${service}/predict`)}, {
  method: 'POST',
  headers,
  body: JSON.stringify(${body}),
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
  const body = JSON.stringify(toBody(settings), undefined, 4).replace(/\n/g, '\n    ');
  return `import base64
import os

import requests

session = requests.Session()
session.headers["x-api-key"] = os.environ["SD_TURBO_API_KEY"]
answer = session.post(
    ${JSON.stringify(`${service}/predict`)},
    json=${body},
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

/** One word for a POSIX shell, whatever is in it. */
function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function fileName(settings: Settings): string {
  return `picture.${extension(settings)}`;
}

function extension({ output_format }: Settings): string {
  return output_format === 'jpeg' ? 'jpg' : output_format;
}
