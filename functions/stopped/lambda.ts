/** An instance has stopped. */
export async function handler(): Promise<void> {}
