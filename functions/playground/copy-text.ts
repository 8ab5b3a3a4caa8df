const COPIED_MS = 1_500;

/** Has a button copy what an element says at that time. */
export function copyOnClick(button: HTMLButtonElement, source: HTMLElement): void {
  button.addEventListener('click', async () => {
    button.textContent = await copy(source);
    setTimeout(() => {
      button.textContent = 'Copy';
    }, COPIED_MS);
  });
}

/** The clipboard is missing where the page comes over plain HTTP from another machine: the text is selected then. */
async function copy(source: HTMLElement): Promise<string> {
  try {
    await navigator.clipboard.writeText(source.textContent ?? '');
    return 'Copied';
  } catch {
    getSelection()?.selectAllChildren(source);
    return 'Selected';
  }
}
