import { type PictureFormat, pictureFormat, SIGNATURE_BYTES } from '../../../lib/image/picture-format.js';
import { toDataUrl } from '../to-data-url.js';

/** What a picture to begin with may have before it is made smaller: it is kept and sent as text. */
const MAX_BYTES = 1024 * 1024;
/** Twice what the model's own pictures have. */
const MAX_SIDE = 1024;

/**
 * A picture as a data URL that the service takes: as it is where it is small, else scaled down, as JPEG.
 *
 * @param format of the file, which its name may not tell
 * @throws DOMException for what the browser cannot read as a picture
 */
export async function shrinkPicture(file: Blob, format: PictureFormat): Promise<string> {
  // A file that begins as a picture need not be one: only whoever has read it knows.
  const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
  try {
    return await toDataUrl(
      file.size <= MAX_BYTES ? new Blob([file], { type: `image/${format}` }) : await redraw(bitmap),
    );
  } finally {
    bitmap.close();
  }
}

/** Of those that the service takes; undefined for any other file. */
export async function readFormat(file: Blob): Promise<PictureFormat | undefined> {
  return pictureFormat(new Uint8Array(await file.slice(0, SIGNATURE_BYTES).arrayBuffer()));
}

function redraw(bitmap: ImageBitmap): Promise<Blob> {
  const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext('2d');
  if (context) {
    // As the service has it: a JPEG has no transparency, and a canvas is black below.
    context.fillStyle = 'white';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  }
  return new Promise((resolve, reject) => {
    const done = (blob: Blob | null) => (blob ? resolve(blob) : reject(new DOMException('no picture')));
    canvas.toBlob(done, 'image/jpeg', 0.92);
  });
}
