/** What `bundle.mjs` makes: the module `#playground`. */

export interface Page {
  readonly html: string;
  /** Its Content-Security-Policy. */
  readonly policy: string;
}

export const page: Page;

/** What the reference has of a page: the API writes its HTML. The policy permits this script and this style. */
export const reference: {
  readonly script: string;
  readonly style: string;
  readonly policy: string;
};

/** Of all pages. */
export const favicon: {
  readonly svg: string;
  /** The same as `data:`, so that no page asks for it. */
  readonly url: string;
};
