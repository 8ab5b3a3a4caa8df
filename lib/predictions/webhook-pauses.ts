/**
 * Seconds between the attempts to deliver a webhook: each four times the one before, as far as SQS can wait; one more attempt
 * than there are pauses, over 52 minutes.
 */
export const WEBHOOK_PAUSES_S = [5, 20, 80, 320, 900, 900, 900] as const;
