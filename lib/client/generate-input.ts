export type OutputFormat = 'png' | 'jpeg' | 'webp';
export type Decoder = 'vae' | 'taesd';
export type ResponseFormat = 'base64' | 'url';

/** What is asked for; the service's defaults hold where nothing is said. */
export interface GenerateInput {
  /** What to draw: 1 to 2,000 characters. What goes beyond 75 tokens is cut, see `tokensCut`. */
  readonly prompt: string;
  /** Denoising steps, 1 to 4. @default 1; 2 with `image` */
  readonly steps?: number | undefined;
  /** 0 to 2^53-1; the same seed gives the same picture. @default random */
  readonly seed?: number | undefined;
  /** How many pictures, 1 to 4. @default 1 */
  readonly numImages?: number | undefined;
  /** Of the pictures. @default png */
  readonly format?: OutputFormat | undefined;
  /** `taesd` is faster and less exact, where the model has it. @default vae */
  readonly decoder?: Decoder | undefined;
  /** PNG, JPEG or WebP to begin with; a string is its base64 or its data URL. A service takes 3 MiB. @default noise alone */
  readonly image?: Blob | Uint8Array | string | undefined;
  /** How far the result may be from `image`: above 0, at most 1. @default 0.5 with `image` */
  readonly strength?: number | undefined;
}

/** What a service is asked for. */
export interface PredictInput extends GenerateInput {
  /** An https address that is sent the finished prediction: see `verifyWebhook`. @default nobody is told */
  readonly webhook?: string | undefined;
  /** `url`: addresses that need no key and expire, in `urls`; also what a webhook is sent. @default base64, as `images` */
  readonly responseFormat?: ResponseFormat | undefined;
}
