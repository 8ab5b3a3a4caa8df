import sharp from 'sharp';
import {
  animate,
  makePng,
  makeProgressiveJpeg,
  makeWebp,
  pngChunk,
  readWebp,
} from '../support/pictures/hostile-pictures.js';

const SIDE = { width: 24, height: 20 };

/** One small picture of each kind that the three formats have, by what it is. */
export async function wholePictures(): Promise<ReadonlyMap<string, Buffer>> {
  const { width, height } = SIDE;
  const noise = Buffer.from(
    Array.from({ length: 4 * width * height }, (_, i) => Math.imul(i, 2654435761) >>> 24),
  );
  const colours = () => sharp(noise, { raw: { ...SIDE, channels: 4 } });
  const opaque = () => colours().flatten();
  const still = await opaque().webp().toBuffer();
  const turned = await opaque().withMetadata({ orientation: 6 }).webp().toBuffer();
  const text = pngChunk('tEXt', Buffer.from('Comment\0words'));
  const frames = ['acTL', 'fcTL', 'fdAT'].map((type) => pngChunk(type, Buffer.alloc(26, 1)));
  const palette = { palette: true, colours: 16 };
  const made: [string, Buffer | Promise<Buffer>][] = [
    ['png', opaque().png().toBuffer()],
    ['png with alpha', colours().png().toBuffer()],
    ['png of 16 bits, interlaced', colours().toColourspace('rgb16').png({ progressive: true }).toBuffer()],
    ['png with a palette and transparency', colours().png(palette).toBuffer()],
    ['png, grey and alpha', makePng({ ...SIDE, colour: 4 })],
    ['png of 1 bit', makePng({ ...SIDE, colour: 0, depth: 1 })],
    [
      'png with a profile and an orientation',
      opaque().withIccProfile('p3').withExif(TURNED).png().toBuffer(),
    ],
    ['png, animated, with text', makePng({ ...SIDE, chunks: [text, ...frames] })],
    ['jpeg', opaque().jpeg().toBuffer()],
    ['jpeg, progressive', opaque().jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer()],
    ['jpeg, grey', opaque().greyscale().jpeg().toBuffer()],
    ['jpeg of four colours', opaque().toColourspace('cmyk').jpeg().toBuffer()],
    [
      'jpeg with a profile and an orientation',
      opaque().withIccProfile('p3').withExif(TURNED).jpeg().toBuffer(),
    ],
    ['jpeg of empty scans', makeProgressiveJpeg({ width: 1024, height: 1024, components: 1, scans: 20 })],
    ['webp', still],
    ['webp without loss, with alpha', colours().webp({ lossless: true }).toBuffer()],
    ['webp with alpha', colours().webp().toBuffer()],
    ['webp with an orientation', turned],
    ['webp, animated', animate(still, width, height, 5)],
    ['webp of chunks that nobody knows', makeWebp([...readWebp(turned), { type: 'ABCD', data: noise }])],
  ];
  return new Map(await Promise.all(made.map(async ([name, bytes]) => [name, await bytes] as const)));
}

/** A camera turned by a quarter. */
const TURNED = { IFD0: { Orientation: '6', Make: 'a camera' } };
