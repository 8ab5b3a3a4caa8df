import { copyOnClick } from '../copy-text.js';
import { byId, make } from '../dom.js';
import { TryIt } from './try-it.js';

/** As wide as the page must be for the contents beside it: reference.css has the same. */
const wide = matchMedia('(min-width: 60rem)');

const contents = byId('contents', HTMLDetailsElement);
const fold = () => {
  contents.open = wide.matches;
};
wide.addEventListener('change', fold);
contents.addEventListener('click', ({ target }) => {
  if (target instanceof HTMLAnchorElement) fold();
});
fold();

for (const block of document.querySelectorAll<HTMLElement>('.code')) {
  const button = make('button', { type: 'button', className: 'quiet copy' }, 'Copy');
  block.append(button);
  copyOnClick(button, block.querySelector('code') ?? block);
}

for (const element of document.querySelectorAll<HTMLDetailsElement>('.try')) new TryIt(element);
