import type { EndpointStatus } from '../schemas/endpoint-status.js';

/** What the command line hands to the service at home. */
export interface HomeServiceProps {
  readonly listen: {
    /** Name or address. */
    readonly host: string;
    /** 0 for any that is free. */
    readonly port: number;
    /** Of pages elsewhere that may ask, as `corsOriginsSchema` gives them. @default none */
    readonly corsOrigins?: readonly string[];
  };
  readonly secrets: {
    readonly apiKey: string;
    /** `whsec_` and base64. */
    readonly webhookSecret: string;
  };
  readonly model: {
    /** Directory of a bundle, or `s3://BUCKET/PREFIX`. */
    readonly uri: string;
    /** Where a bundle from S3 comes to lie. */
    readonly directory: string;
  };
  /** Predictions, and how long wakes took. */
  readonly dataFolder: string;
  /** So long without work, and the model is let go of. Seconds. @default never */
  readonly idleSeconds?: number;
  readonly report: HomeReport;
  /** Ends the start. */
  readonly signal: AbortSignal;
}

/** Whom the service tells what it does. No prompt and no key is in it. */
export interface HomeReport {
  /** Whether everything that is known is told, and every line is a JSON object. */
  readonly verbose: boolean;
  readonly line: (text: string) => void;
  /** While the model is loaded. */
  readonly status: (status: EndpointStatus) => void;
}

export interface HomeService {
  /** Without a slash at its end. */
  readonly url: string;
  readonly key: string;
  /** Finishes what runs, as far as that takes seconds, and leaves no process behind. */
  close(): Promise<void>;
}

/**
 * Starts the whole service on this machine; settles when it draws. It is functions/home/start-service.ts.
 *
 * @throws AppError where the folder or the port is taken, or the model cannot be loaded; nothing is left running then
 */
export type StartHomeService = (props: HomeServiceProps) => Promise<HomeService>;
