/** What `bundle.mjs` makes: the module `#playground`. */

export interface Page {
  readonly html: string;
  /** Its Content-Security-Policy. */
  readonly policy: string;
}

export const page: Page;

/** CSS: the colours that all pages of the service share. */
export const theme: string;
