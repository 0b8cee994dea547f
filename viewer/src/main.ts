import './app.css';
import { mount } from 'svelte';
import { Hub } from './lib/hub.svelte';
import { languages, speak, type Lang } from './lib/i18n.svelte';
import type { Start } from './lib/types';
import App from './ui/App.svelte';

/** Takes the server's page over: the same content, with the map. */
async function start(): Promise<void> {
  const target = document.getElementById('app');
  const block = document.getElementById('start');
  if (!target || !block?.textContent) return;
  const model = JSON.parse(block.textContent) as Start;
  const lang = (languages as string[]).includes(model.lang) ? (model.lang as Lang) : 'fr';
  // The map's code comes while the dictionary does.
  void import('./map/engine');
  await speak(lang);
  const hub = new Hub(model);
  target.replaceChildren();
  mount(App, { target, props: { hub } });
}

void start();
