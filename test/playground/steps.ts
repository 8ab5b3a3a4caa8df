import type { Page } from 'playwright-core';

export const PROMPT = 'A tree in a field under the night sky';

export const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
export const picture = (page: Page) => page.getByRole('img', { name: `Picture: ${PROMPT}`, exact: true });
export const announced = (page: Page) => page.locator('#announcement');

export async function generate(page: Page, prompt = PROMPT): Promise<void> {
  await page.getByLabel('Prompt').fill(prompt);
  await button(page, 'Generate').click();
}
